export default function (component) {
  const { setStateValue, parentElement, data } = component;
  const input = parentElement.querySelector('input');
  const wrong = parentElement.querySelector('.wrong');
  parentElement.querySelector('label').textContent = data.label;

  input.onchange = async () => {
    const files = [...input.files];
    wrong.textContent = '';
    if (files.reduce((sum, file) => sum + file.size, 0) > data.most_bytes) {
      wrong.textContent = 'These files are too big. Choose fewer at once, or have an operator bring them in.';
      input.value = '';
      setStateValue('documents', []);
      return;
    }
    const texts = await Promise.all(files.map((file) => file.text()));
    setStateValue('documents', files.map((file, at) => ({ name: file.name, text: texts[at] })));
  };
}
