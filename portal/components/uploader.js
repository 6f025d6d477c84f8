export default function (component) {
  const { setTriggerValue, parentElement, data } = component;
  const drop = parentElement.querySelector('.drop');
  const input = parentElement.querySelector('input');
  const list = parentElement.querySelector('ul');
  drop.dataset.look = Boolean(data.look);  // what files are sent with from now on

  const line = (name) => {
    const item = document.createElement('li');
    const label = document.createElement('span');
    const bar = document.createElement('progress');
    const state = document.createElement('span');
    label.textContent = name;
    bar.max = 1; bar.value = 0;
    bar.setAttribute('aria-label', 'Upload of ' + name);
    item.append(label, bar, state);
    list.append(item);
    return { bar, state };
  };

  const send = (file) => new Promise((done) => {
    const { bar, state } = line(file.name);
    const request = new XMLHttpRequest();
    const query = '?name=' + encodeURIComponent(file.name)
      + '&transpose=' + (data.transpose ? 1 : 0) + '&look=' + (data.look ? 1 : 0);
    const fail = (text) => { state.textContent = text; state.className = 'wrong'; done(false); };
    request.open('PUT', data.url + query);
    request.setRequestHeader('X-Grouper-Ticket', data.ticket);
    request.upload.onprogress = (event) => {
      bar.max = event.total || 1; bar.value = event.loaded;
      state.textContent = Math.round(100 * event.loaded / (event.total || 1)) + ' %';
    };
    request.onload = () => {
      if (request.status < 300) { bar.value = bar.max; state.textContent = 'uploaded'; done(true); return; }
      try { fail(JSON.parse(request.responseText).error); }
      catch { fail('The upload failed (' + request.status + '). Try again.'); }
    };
    request.onerror = () => fail('The connection broke. Try again.');
    request.send(file);
  });

  const sendAll = async (files) => {
    list.replaceChildren();
    let arrived = 0;
    for (const file of files) { if (await send(file)) arrived += 1; }
    input.value = '';
    setTriggerValue('uploaded', arrived);
  };

  input.onchange = () => sendAll([...input.files]);
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add('over'); };
  drop.ondragleave = () => drop.classList.remove('over');
  drop.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    sendAll([...event.dataTransfer.files]);
  };
}
