// A picture before and after, one over the other: a border between the two that can be moved, and a zoom down to the photo's
// own pixels. Python sends addresses and sizes; it is asked for the pictures in full size when they would be seen.
const LARGEST = 8, STEP = 1.5, TAP_MS = 300, TAP_PX = 12;  // screen pixels to a pixel of the photo, and a step of the buttons
const find = (what) => element.querySelector(what);
const frame = find('.frame'), canvas = find('.canvas'), grip = find('.grip');
const pointers = new Map();
const tool = {takes: () => false, hover() {}, drop() {}, renew() {}, place() {}};  // what else pointers may do on the picture
let shown = {}, scale = 1, left = 0, top = 0, fitted = true, wipe = 0.5, asked = '', held = null, tapped = null;
const within = (low, value, high) => Math.min(Math.max(value, low), high);
const fit = () => Math.min(frame.clientWidth / shown.width, frame.clientHeight / shown.height);
const own = () => 1 / devicePixelRatio;
const zoomed = () => scale > 1.001 * fit();
const centred = (offset, size, room) => size <= room ? (room - size) / 2 : within(room - size, offset, 0);
const border = () => {
  const from = Math.max(0, left), to = Math.min(frame.clientWidth, left + scale * shown.width);
  return {from, to, edge: from + wipe * (to - from)};
};
const askFull = () => {
  const wanted = scale * devicePixelRatio * shown.width;
  if (shown.pixels >= shown.width || wanted < 1.05 * shown.pixels || asked === shown.after) return;
  asked = shown.after;
  trigger('select', {value: shown.photo});
};
const place = () => {
  if (!shown.width || !frame.clientWidth) return;
  if (fitted) scale = fit();
  const width = scale * shown.width, height = scale * shown.height;
  left = centred(left, width, frame.clientWidth);
  top = centred(top, height, frame.clientHeight);
  Object.assign(canvas.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`});
  const {from, to, edge} = border();
  canvas.style.setProperty('--cut', `${100 * (edge - left) / width}%`);
  frame.style.setProperty('--edge', `${edge}px`);
  frame.style.setProperty('--from', `${from}px`);
  frame.style.setProperty('--to', `${frame.clientWidth - to}px`);
  frame.style.setProperty('--under', `${Math.max(0, frame.clientHeight - top - height)}px`);
  find('.tag.left').hidden = edge - from < 80;
  find('.tag.right').hidden = to - edge < 80;
  grip.setAttribute('aria-valuenow', Math.round(100 * wipe));
  frame.classList.toggle('zoomed', zoomed());
  frame.classList.toggle('pixels', scale >= 3 * own());
  find('.percent').textContent = `${Math.round(100 * scale * devicePixelRatio)} %`;
  find('[data-zoom=out]').disabled = find('[data-zoom=fit]').disabled = !zoomed();
  find('[data-zoom=in]').disabled = scale >= LARGEST * own();
  tool.place();
  askFull();
};
const zoomTo = (next, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
  if (!shown.width) return;
  const kept = within(fit(), next, Math.max(LARGEST * own(), fit()));
  left = x - (x - left) * kept / scale;
  top = y - (y - top) * kept / scale;
  scale = kept;
  fitted = !zoomed();
  place();
};
const inside = (event) => {
  const box = frame.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const toggleAt = (x, y) => zoomTo(zoomed() ? 0 : Math.max(own(), 2.5 * fit()), x, y);
const wipeAt = (x) => {
  const {from, to} = border();
  wipe = within(0, (x - from) / (to - from), 1);
  place();
};
const ZOOMS = {
  in: () => zoomTo(scale * STEP), out: () => zoomTo(scale / STEP), own: () => zoomTo(own()), fit: () => zoomTo(0),
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.zoom) ZOOMS[button.dataset.zoom]();
  if (button?.dataset.view) look(button.dataset.view);
  if (button?.dataset.full) document.fullscreenElement ? document.exitFullscreen() : find('.viewer').requestFullscreen();
});
const look = (view) => {
  if ((view === 'paint') !== (find('.viewer').dataset.view === 'paint')) wipe = view === 'paint' ? 0 : 0.5;
  find('.viewer').dataset.view = view;
  for (const each of element.querySelectorAll('[data-view]:not(.viewer)')) {
    each.setAttribute('aria-pressed', each.dataset.view === view);
  }
  place();
};

// Wheel and pointers. A plain wheel and a vertical swipe are the page's.
frame.addEventListener('wheel', (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  zoomTo(scale * Math.exp(-within(-60, event.deltaY, 60) / 120), ...inside(event));
}, {passive: false});
frame.addEventListener('dblclick', (event) => { if (tapped?.type !== 'touch' && !tool.takes()) toggleAt(...inside(event)); });
const pinch = () => {
  const [[ax, ay], [bx, by]] = [...pointers.values()];
  return {x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.max(1, Math.hypot(ax - bx, ay - by))};
};
frame.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || !shown.width || event.defaultPrevented) return;
  pointers.set(event.pointerId, inside(event));
  frame.setPointerCapture(event.pointerId);
  const [x, y] = inside(event);
  if (pointers.size === 2) {
    if (held?.kind === 'tool') tool.drop();
    held = {kind: 'pinch', ...pinch(), scale};
  } else if (event.target !== grip && tool.takes()) held = {kind: 'tool'};
  else if (event.target === grip || !zoomed()) held = {kind: 'wipe', x, loose: event.target === grip || event.pointerType === 'mouse'};
  else held = {kind: 'pan', x, y, left, top};
  if (held.kind === 'tool') tool.start(event);
  if (held.kind === 'wipe' && event.pointerType === 'mouse' && event.target !== grip) wipeAt(x);
});
frame.addEventListener('pointermove', (event) => {
  if (!held) tool.hover(event);
  if (!pointers.has(event.pointerId) || !held) return;
  if (held.kind === 'tool') return tool.move(event);
  const [x, y] = inside(event);
  pointers.set(event.pointerId, [x, y]);
  if (held.kind === 'wipe' && (held.loose ||= Math.abs(x - held.x) > TAP_PX)) wipeAt(x);
  if (held.kind === 'pan') [left, top] = [held.left + x - held.x, held.top + y - held.y];
  if (held.kind === 'pinch' && pointers.size === 2) {
    const now = pinch();
    [left, top] = [left + now.x - held.x, top + now.y - held.y];
    zoomTo(held.scale * now.apart / held.apart, now.x, now.y);
    Object.assign(held, {x: now.x, y: now.y});
  }
  place();
});
const release = (event) => {
  if (!pointers.delete(event.pointerId)) return;
  if (held?.kind === 'tool') {
    held = null;
    return event.type === 'pointerup' ? tool.end() : tool.drop();
  }
  const [x, y] = inside(event), now = Date.now();
  if (event.type === 'pointerup' && event.pointerType === 'touch' && held?.kind !== 'pinch' && event.target !== grip) {
    const near = tapped && now - tapped.time < TAP_MS && Math.hypot(x - tapped.x, y - tapped.y) < 2 * TAP_PX;
    if (near) toggleAt(x, y);
    tapped = near ? {type: 'touch'} : {type: 'touch', time: now, x, y};
  } else {
    tapped = {type: event.pointerType};
  }
  if (pointers.size === 0) held = null;
};
frame.addEventListener('pointerup', release);
frame.addEventListener('pointercancel', release);

// Keys: arrows move the border where it is focused, and the picture where the frame is.
const KEYS = {'+': ZOOMS.in, '=': ZOOMS.in, '-': ZOOMS.out, '0': ZOOMS.fit, '1': ZOOMS.own};
const WAYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const ENDS = {Home: 0, End: 1};
find('.viewer').addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !shown.width) return;
  const [x, y] = WAYS[event.key] ?? [0, 0];
  if (KEYS[event.key]) KEYS[event.key]();
  else if (event.target === grip && x) wipe = within(0, wipe + (event.shiftKey ? 0.1 : 0.02) * x, 1);
  else if (event.target === grip && event.key in ENDS) wipe = ENDS[event.key];
  else if (event.target === frame && (x || y) && zoomed()) [left, top] = [left - 60 * x, top - 60 * y];
  else return;
  event.preventDefault();
  place();
});

// What Python sends: pictures are put in when they have come, all at once.
const come = (address) => {
  const picture = new Image();
  picture.src = address;
  return picture.decode().catch(() => null);
};
const renew = async () => {
  const next = props.value || {};
  find('.viewer').classList.toggle('empty', !next.width);
  if (!next.width) {
    shown = {};
    for (const picture of canvas.querySelectorAll('img')) picture.removeAttribute('src');
    return;
  }
  await Promise.all([next.before, next.after, next.alpha, next.behind].filter(Boolean).map(come));
  if (props.value !== next && JSON.stringify(props.value) !== JSON.stringify(next)) return;  // another one has come meanwhile
  find('.viewer').style.setProperty('--tall', next.height / next.width);
  const another = next.photo !== shown.photo;
  shown = next;
  for (const picture of canvas.querySelectorAll('img')) {
    const address = next[picture.dataset.shows];
    if (address) picture.src = address; else picture.removeAttribute('src');
  }
  canvas.style.setProperty('--mask', next.alpha ? `url("${next.alpha}")` : 'none');
  find('.tag.left').textContent = next.labels[0];
  find('.tag.right').textContent = next.labels[1];
  [find('img.before').alt, find('img.after').alt] = next.alts;
  if (another) {
    [fitted, wipe, asked] = [true, 0.5, ''];
    look('result');
  }
  tool.renew();
  place();
};
document.addEventListener('backdrop', (event) => {
  if (!event.target.closest('#background')) return;
  find('.viewer').dataset.backdrop = event.detail.kind;
  find('.viewer').style.setProperty('--behind', event.detail.colour);
});
new ResizeObserver(place).observe(frame);
watch('value', renew);
renew();  // waits for its pictures, so that what else is done with them is there by then
