// Strokes of a brush on a picture. Python is sent all of them, and asked again only when it has answered; what it has not
// answered yet is drawn.
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
