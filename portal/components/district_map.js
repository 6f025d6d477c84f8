const AREAS = {
  E12000001: 'ne', E12000002: 'nw', E12000003: 'yh', E12000004: 'em', E12000005: 'wm',
  E12000006: 'ee', E12000007: 'ld', E12000008: 'se', E12000009: 'sw', W92000004: 'wa',
};
const SHADES = [['some', 1, '1 clinic'], ['more', 2, '2 to 4 clinics'], ['many', 5, '5 or more']];

const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
};

const shadeOf = (count) => SHADES.reduce((found, [shade, least]) => count >= least ? shade : found, '');
const counted = (count) => count === 1 ? '1 clinic' : count + ' clinics';

export default function (component) {
  const { setStateValue, parentElement, data } = component;
  const map = parentElement.querySelector('.map');
  const said = map.querySelector('.said');

  const say = (name, text) => said.replaceChildren(...(name ? [make('strong', '', name), text] : [text]));

  const mark = (chosen) => {
    for (const tile of map.querySelectorAll('button.tile')) {
      tile.setAttribute('aria-pressed', String(tile.value === chosen));
    }
  };

  const tileOf = ([code, name, count, row, column]) => {
    const tile = make(count ? 'button' : 'span', ('tile ' + shadeOf(count)).trim());
    tile.title = name + ': ' + (count ? counted(count) : 'no clinic');
    if (row) { tile.style.gridRow = row; tile.style.gridColumn = column; }
    tile.onmouseenter = () => say(name, count ? counted(count) : 'No clinic that you see');
    if (!count) { tile.setAttribute('aria-hidden', 'true'); return tile; }
    tile.type = 'button';
    tile.value = code;
    tile.textContent = count;
    tile.setAttribute('aria-label', tile.title);
    tile.onfocus = tile.onmouseenter;
    tile.onclick = () => {
      const chosen = tile.getAttribute('aria-pressed') === 'true' ? null : code;
      mark(chosen);
      setStateValue('chosen', chosen);
    };
    return tile;
  };

  const blockOf = ({ code, name, tiles }) => {
    const count = tiles.reduce((sum, tile) => sum + tile[2], 0);
    const block = make('section', count ? 'block' : 'block none');
    const heading = make('h3', '', name + ' ');
    if (count) heading.append(make('span', '', counted(count)));
    const grid = make('div', tiles.some((tile) => tile[3]) ? 'tiles placed' : 'tiles');
    grid.append(...tiles.map(tileOf));
    block.style.gridArea = AREAS[code];
    block.setAttribute('aria-label', name);
    block.append(heading, grid);
    return block;
  };

  const keyOf = () => {
    const list = make('ul');
    for (const [shade, least, text] of [['', 0, 'a district without one'], ...SHADES]) {
      const item = make('li');
      const tile = make('span', ('tile ' + shade).trim(), least ? String(least) : '');
      tile.setAttribute('aria-hidden', 'true');
      item.append(tile, text);
      list.append(item);
    }
    return list;
  };

  // Drawn anew only where the figures changed, so that who stands on a square stays on it.
  const figures = JSON.stringify(data.blocks);
  if (map.figures !== figures) {
    map.figures = figures;
    map.querySelectorAll('.block, .key ul').forEach((old) => old.remove());
    map.querySelector('.key').prepend(keyOf());
    map.append(...data.blocks.map(blockOf));
    say('', 'Point at a square, or choose one, to see which district it is.');
  }
  mark(data.chosen);
}
