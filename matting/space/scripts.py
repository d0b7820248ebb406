"""The few lines of JavaScript the pages need."""

# A click, Enter or Space on an element marked data-pick tells Python its value.
PICK = """
const pick = (event) => {
  const target = event.target.closest('[data-pick]');
  if (!target || !element.contains(target)) return;
  event.preventDefault();
  trigger('select', {value: target.dataset.pick});
};
element.addEventListener('click', pick);
element.addEventListener('keydown', (event) => { if (event.key === 'Enter' || event.key === ' ') pick(event); });
"""

# The same, and a slider that moves the border between two pictures.
WIPE = (
    PICK
    + """
element.addEventListener('input', (event) => {
  const glass = event.target.closest('.glass');
  if (glass) { glass.classList.add('held'); glass.style.setProperty('--wipe', event.target.value); }
});
"""
)

# A click on the picture tells Python where, in shares of its width and height; arrow keys tell which. Keys pressed fast are
# told together, since requests may overtake each other.
POINT = """
const PAUSE_MS = 80;
let keys = [], pause = null;
const tell = () => {
  pause = keys.length ? setTimeout(tell, PAUSE_MS) : null;
  if (pause) trigger('input', {keys: keys.splice(0)});
};
const point = (event) => {
  const svg = element.querySelector('svg');
  if (!svg) return;
  const box = svg.getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
  if (x >= 0 && x <= 1 && y >= 0 && y <= 1) { element.dataset.focus = '1'; trigger('select', {x, y}); }
};
element.addEventListener('click', point);
element.addEventListener('keydown', (event) => {
  if (!event.key.startsWith('Arrow')) return;
  event.preventDefault();
  element.dataset.focus = '1';
  keys.push(event.key);
  if (!pause) tell();
});
watch('value', () => {
  const svg = element.querySelector('svg');
  if (svg && element.dataset.focus) svg.focus({preventScroll: true});
});
"""

# Strokes of a brush on a picture. Python is sent all of them, and asked again only when it has answered; what it has not
# answered yet is drawn.
PAINT = """
const PATIENCE_MS = 20000;
let photo = '', version = 0, asked = 0, since = 0, strokes = [], stroke = null, pointer = null, kind = 'remove', brush = 18;
const find = (what) => element.querySelector(what);
const all = (what) => [...element.querySelectorAll(what)];
const facts = () => find('.paint').dataset;
const answered = () => Number(facts().version) === version;
const points = () => strokes.reduce((sum, each) => sum + each.points.length, 0);
const full = () => strokes.length >= facts().strokes || points() >= facts().points;
const paint = () => {
  const canvas = find('canvas'), pen = canvas.getContext('2d'), box = canvas.getBoundingClientRect();
  const width = canvas.width = box.width * devicePixelRatio, height = canvas.height = box.height * devicePixelRatio;
  pen.lineCap = pen.lineJoin = 'round';
  for (const {keep, radius, points} of [...(answered() ? [] : strokes.slice(facts().answered)), ...(stroke ? [stroke] : [])]) {
    pen.strokeStyle = keep ? '#2fae6bb0' : '#e0453ab0';
    pen.lineWidth = 2 * radius * Math.max(width, height);
    pen.beginPath();
    pen.moveTo(points[0][0] * width + 0.01, points[0][1] * height);
    for (const [x, y] of points) pen.lineTo(x * width, y * height);
    pen.stroke();
  }
};
const show = () => {
  for (const button of all('[data-kind]')) button.setAttribute('aria-pressed', button.dataset.kind === kind);
  for (const button of all('[data-act]')) button.disabled = strokes.length === 0;
  find('.tools input').value = brush;
  find('.easel').classList.toggle('busy', !answered());
  paint();
};
const ask = () => {
  [asked, since] = [version, Date.now()];
  trigger('select', {value: {photo, version, strokes}});
};
const change = () => {
  const idle = Number(facts().version) === asked || Date.now() - since > PATIENCE_MS;
  version += 1;
  show();
  if (idle) ask();
};
const renew = () => {
  if (!find('.paint')) return;
  if (facts().photo !== photo) [photo, version, asked, strokes, stroke] = [facts().photo, 0, 0, [], null];
  new ResizeObserver(paint).observe(find('.easel'));
  show();
  if (!answered() && asked !== version) ask();
};
const place = (event) => {
  const box = find('canvas').getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
  const width = brush / 500 * Math.max(box.width, box.height);
  find('.ring').style.cssText = `left:${100 * x}%;top:${100 * y}%;width:${width}px`;
  return [x, y].map((share) => Math.round(Math.min(1, Math.max(0, share)) * 1e4) / 1e4);
};
const drop = () => {
  stroke = null;
  paint();
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.kind) {
    kind = button.dataset.kind;
    show();
    return;
  }
  strokes = button.dataset.act === 'undo' ? strokes.slice(0, -1) : [];
  change();
});
element.addEventListener('input', (event) => { brush = Number(event.target.value); });
element.addEventListener('pointerdown', (event) => {
  if (event.target.tagName !== 'CANVAS' || event.button !== 0 || full()) return;
  if (stroke) return drop();
  event.preventDefault();
  event.target.setPointerCapture(event.pointerId);
  pointer = event.pointerId;
  stroke = {keep: kind === 'keep', radius: brush / 1000, points: [place(event)]};
  paint();
});
element.addEventListener('pointermove', (event) => {
  if (stroke ? event.pointerId !== pointer : event.target.tagName !== 'CANVAS') return;
  const [x, y] = place(event);
  if (!stroke) return;
  const [left, top] = stroke.points[stroke.points.length - 1];
  if (Math.hypot(x - left, y - top) > 0.003 && stroke.points.length < facts().points / 10) stroke.points.push([x, y]);
  paint();
});
element.addEventListener('pointerup', (event) => {
  if (!stroke || event.pointerId !== pointer) return;
  strokes = [...strokes, stroke];
  stroke = null;
  change();
});
element.addEventListener('pointercancel', (event) => { if (stroke && event.pointerId === pointer) drop(); });
watch('value', renew);
renew();
"""

# Start the download of the file that has just been made.
SAVE = """
(file) => {
  const one = Array.isArray(file) ? file[0] : file;
  if (!one) return;
  const link = document.createElement('a');
  link.href = one.url;
  link.download = one.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
}
"""

# The clip's preview stops where it is.
HOLD = "() => document.querySelector('#clip-preview video')?.pause()"

# All pictures of a comparison zoom to the place under the pointer.
ZOOM = """
const move = (event) => {
  const frame = event.target.closest('.zoomed');
  if (!frame) return;
  const box = frame.getBoundingClientRect();
  element.style.setProperty('--zoom-x', `${100 * (event.clientX - box.left) / box.width}%`);
  element.style.setProperty('--zoom-y', `${100 * (event.clientY - box.top) / box.height}%`);
};
element.addEventListener('pointermove', move);
element.addEventListener('pointerdown', move);
element.addEventListener('input', (event) => element.style.setProperty('--zoom', event.target.value));
"""

# A click on a column's title sorts the table by it, another one turns the order round; typing hides rows without the text.
SORT = """
const order = (cell) => {
  const text = cell.dataset.order;
  return cell.classList.contains('number') ? (text === 'inf' ? Infinity : Number(text)) : text;
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-column]');
  if (!button) return;
  const table = button.closest('table'), title = button.closest('th'), column = Number(button.dataset.column);
  const down = title.getAttribute('aria-sort') === 'ascending';
  table.querySelectorAll('[aria-sort]').forEach((other) => other.setAttribute('aria-sort', 'none'));
  title.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const rows = [...table.tBodies[0].rows].sort((one, two) => {
    const a = order(one.cells[column]), b = order(two.cells[column]);
    return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
  });
  table.tBodies[0].append(...rows);
});
element.addEventListener('input', (event) => {
  const box = event.target.closest('.sortable'), words = event.target.value.toLowerCase();
  if (!box || event.target.type !== 'search') return;
  let shown = 0;
  for (const row of box.querySelectorAll('tbody tr')) {
    row.hidden = !row.textContent.toLowerCase().includes(words);
    shown += !row.hidden;
  }
  box.querySelector('.none').hidden = shown > 0;
});
"""
