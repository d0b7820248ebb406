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
