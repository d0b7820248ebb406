// Strokes of a brush on the stage, at any zoom. Python is sent all of them, and asked again only when it has answered; what it
// has not answered yet is drawn.
const PATIENCE_MS = 20000, BRUSHES = [6, 80], MOST_DOTS = 2048;  // radius in thousandths of the longer side; side of the canvas
let photo = '', version = 0, since = 0, sent = 0, strokes = [], undone = [], stroke = null, kind = 'remove', brush = 18;
const sheet = find('canvas'), tools = find('.tools');
const facts = () => shown.painting ?? {version: 0, answered: 0, strokes: 0, points: 0};
const answered = () => facts().version === version;
const painting = () => find('.viewer').dataset.view === 'paint';
const points = () => strokes.reduce((sum, each) => sum + each.points.length, 0);
const draw = () => {
  const pen = sheet.getContext('2d'), longest = Math.max(canvas.clientWidth, canvas.clientHeight) * devicePixelRatio;
  const share = Math.min(1, MOST_DOTS / longest) * devicePixelRatio;
  const width = sheet.width = canvas.clientWidth * share, height = sheet.height = canvas.clientHeight * share;
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
  for (const button of tools.querySelectorAll('[data-kind]')) button.setAttribute('aria-pressed', button.dataset.kind === kind);
  for (const name of ['undo', 'clear']) tools.querySelector(`[data-act=${name}]`).disabled = strokes.length === 0;
  tools.querySelector('[data-act=redo]').disabled = undone.length === 0;
  tools.querySelector('input').value = brush;
  find('.viewer').classList.toggle('busy', !answered());
  draw();
};
const ask = () => {
  [sent, since] = [version, Date.now()];
  trigger('input', {value: {photo, version, strokes}});
};
const change = (next, taken) => {
  const idle = facts().version === sent || Date.now() - since > PATIENCE_MS;
  [strokes, undone] = [next, taken];
  version += 1;
  show();
  if (idle) ask();
};
const ACTS = {
  undo: () => strokes.length && change(strokes.slice(0, -1), [...undone, strokes.at(-1)]),
  redo: () => undone.length && change([...strokes, undone.at(-1)], undone.slice(0, -1)),
  clear: () => strokes.length && change([], [...strokes].reverse()),
};
const size = (next) => {
  brush = Math.round(within(BRUSHES[0], next, BRUSHES[1]));
  show();
};
const spot = (event) => {
  const box = canvas.getBoundingClientRect(), [x, y] = inside(event);
  const width = brush / 500 * Math.max(box.width, box.height);
  find('.ring').style.cssText = `left:${x}px;top:${y}px;width:${width}px`;
  const shares = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return shares.map((share) => Math.round(within(0, share, 1) * 1e5) / 1e5);
};
Object.assign(tool, {
  takes: () => painting() && strokes.length < facts().strokes && points() < facts().points,
  hover: (event) => { if (painting()) spot(event); },
  start: (event) => {
    stroke = {keep: kind === 'keep', radius: brush / 1000, points: [spot(event)]};
    draw();
  },
  move: (event) => {
    const [x, y] = spot(event), [before, above] = stroke.points.at(-1), least = 2 / Math.max(canvas.clientWidth, 1);
    if (Math.hypot(x - before, y - above) > Math.min(0.003, least) && stroke.points.length < facts().points / 10) {
      stroke.points.push([x, y]);
    }
    draw();
  },
  end: () => {
    const one = stroke;
    stroke = null;
    change([...strokes, one], []);
  },
  drop: () => {
    stroke = null;
    draw();
  },
  renew: () => {
    if (!shown.painting) return;
    if (shown.photo !== photo) [photo, version, sent, strokes, undone, stroke] = [shown.photo, 0, 0, [], [], null];
    find('.viewer').dataset.answered = facts().answered;
    show();
    if (!answered() && sent !== version) ask();
  },
  place: () => { if (painting()) draw(); },
});
tools.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.act) ACTS[button.dataset.act]();
  if (!button?.dataset.kind) return;
  kind = button.dataset.kind;
  show();
});
tools.addEventListener('input', (event) => size(Number(event.target.value)));
document.addEventListener('keydown', (event) => {
  if (!painting() || !frame.clientWidth || /^(INPUT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== 'range') return;
  const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
  if (control && key === 'z') ACTS[event.shiftKey ? 'redo' : 'undo']();
  else if (control && key === 'y') ACTS.redo();
  else if (!control && key === '[') size(brush / 1.25);
  else if (!control && key === ']') size(brush * 1.25);
  else return;
  event.preventDefault();
});
show();
