// A click on the picture tells Python where, in shares of its width and height; arrow keys tell which. Keys pressed fast are
// told together, since requests may overtake each other.
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
