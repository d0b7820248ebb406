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

# A click on the picture tells Python where, in shares of its width and height; arrow keys tell which.
POINT = """
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
  trigger('input', {key: event.key});
});
watch('value', () => {
  const svg = element.querySelector('svg');
  if (svg && element.dataset.focus) svg.focus({preventScroll: true});
});
"""

# Strokes of a brush on a picture. Python is sent all of them after each one, so that none is lost on the way; the ones it has
# not answered yet are drawn.
PAINT = """
let strokes = [], stroke = null, kind = 'remove', brush = 18;
const find = (what) => element.querySelector(what);
const paint = () => {
  const canvas = find('canvas'), pen = canvas.getContext('2d'), box = canvas.getBoundingClientRect();
  const width = canvas.width = box.width * devicePixelRatio, height = canvas.height = box.height * devicePixelRatio;
  pen.lineCap = pen.lineJoin = 'round';
  for (const {keep, radius, points} of [...strokes.slice(find('.paint').dataset.answered), ...(stroke ? [stroke] : [])]) {
    pen.strokeStyle = keep ? '#2fae6bb0' : '#e0453ab0';
    pen.lineWidth = 2 * radius * Math.max(width, height);
    pen.beginPath();
    [points[0], ...points].forEach(([x, y]) => pen.lineTo(x * width, y * height));
    pen.stroke();
  }
};
const show = () => {
  const kinds = element.querySelectorAll('[data-kind]');
  for (const button of kinds) button.setAttribute('aria-pressed', button.dataset.kind === kind);
  for (const button of element.querySelectorAll('[data-act]')) button.disabled = strokes.length === 0;
  find('.tools input').value = brush;
  paint();
};
const renew = () => {
  if (!find('.paint')) return;
  if (find('.paint').dataset.fresh === 'true') strokes = [];
  show();
};
const send = () => {
  find('.easel').classList.add('busy');
  show();
  trigger('select', {value: strokes});
};
const place = (event) => {
  const box = find('canvas').getBoundingClientRect(), ring = find('.ring');
  const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
  ring.style.cssText = `left:${100 * x}%;top:${100 * y}%;width:${brush / 500 * Math.max(box.width, box.height)}px`;
  return [x, y].map((share) => Math.round(Math.min(1, Math.max(0, share)) * 1e4) / 1e4);
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.kind) { kind = button.dataset.kind; show(); return; }
  strokes = button.dataset.act === 'undo' ? strokes.slice(0, -1) : [];
  send();
});
element.addEventListener('input', (event) => { brush = Number(event.target.value); });
element.addEventListener('pointerdown', (event) => {
  if (event.target !== find('canvas') || event.button !== 0) return;
  event.preventDefault();
  event.target.setPointerCapture(event.pointerId);
  stroke = {keep: kind === 'keep', radius: brush / 1000, points: [place(event)]};
  paint();
});
element.addEventListener('pointermove', (event) => {
  if (!stroke && event.target !== find('canvas')) return;
  const [x, y] = place(event);
  if (!stroke) return;
  const [left, top] = stroke.points[stroke.points.length - 1];
  if (Math.hypot(x - left, y - top) > 0.003) stroke.points.push([x, y]);
  paint();
});
const finish = () => {
  if (!stroke) return;
  strokes.push(stroke);
  stroke = null;
  send();
};
element.addEventListener('pointerup', finish);
element.addEventListener('pointercancel', finish);
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
