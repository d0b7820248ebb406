// A click on a column's title sorts the table by it, another one turns the order round; typing hides rows without the text.
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
