// A picture before and after, one over the other: a border between the two that can be moved, and a zoom down to the photo's
// own pixels. Python sends addresses and sizes; it is asked for the pictures in full size when they would be seen.
const LARGEST = 8, STEP = 1.5, TAP_MS = 300, TAP_PX = 12;  // screen pixels to a pixel of the photo, and a step of the buttons
const find = (what) => element.querySelector(what);
const frame = find('.frame'), canvas = find('.canvas'), grip = find('.grip');
const pointers = new Map();
const tool = {takes: () => false, hover() {}, drop() {}, renew() {}, place() {}};  // what else pointers may do on the picture
let moved = {x: 0, y: 0, zoom: 1};  // where the person was moved in the frame
let shown = {}, scale = 1, left = 0, top = 0, fitted = true, wipe = 0.5, asked = '', held = null, tapped = null;
const within = (low, value, high) => Math.min(Math.max(value, low), high);
const fit = () => Math.min(frame.clientWidth / shown.width, frame.clientHeight / shown.height);
const own = () => 1 / devicePixelRatio;
const viewOf = () => find('.viewer').dataset.view;
const zoomed = () => scale > 1.001 * fit();
const centred = (offset, size, room) => size <= room ? (room - size) / 2 : within(room - size, offset, 0);
const border = () => {
  const from = Math.max(0, left), to = Math.min(frame.clientWidth, left + scale * shown.width);
  return {from, to, edge: from + wipe * (to - from)};
};
const cut = (view = viewOf()) => {  // the frame in pixels of the photo; painted on is the whole photo
  const base = view === 'paint' ? null : shown.frame, whole = shown.whole;
  if (!base) return {left: 0, top: 0, width: whole.width, height: whole.height, size: [whole.width, whole.height]};
  const {x, y, zoom} = moved, width = base.width / zoom, height = base.height / zoom;
  const share = Math.min(1, Math.max(whole.width, whole.height) / Math.max(width, height));
  const size = base.size ?? [width, height].map((side) => Math.max(1, Math.floor(side * share + 0.5)));
  const left = base.left + (base.width - width) / 2 - x * width, top = base.top + (base.height - height) / 2 - y * height;
  return {left, top, width, height, size};
};
const askFull = () => {
  const wanted = scale * devicePixelRatio * shown.width * shown.whole.width / cut().width;
  if (shown.pixels >= shown.whole.width || wanted < 1.05 * shown.pixels || asked === shown.after) return;
  asked = shown.after;
  trigger('select', {value: shown.photo});
};
const place = () => {
  if (!shown.width || !frame.clientWidth) return;
  const part = cut(), resized = part.size[0] !== shown.width || part.size[1] !== shown.height;
  if (resized) {
    scale *= shown.width / part.size[0];
    [shown.width, shown.height] = part.size;
    find('.viewer').style.setProperty('--tall', shown.height / shown.width);
    element.dispatchEvent(new CustomEvent('framed', {bubbles: true, detail: shown.frame ? cut('result').size : null}));
  }
  if (fitted) scale = fit();
  const width = scale * shown.width, height = scale * shown.height;
  left = centred(left, width, frame.clientWidth);
  top = centred(top, height, frame.clientHeight);
  Object.assign(canvas.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`});
  const {from, to, edge} = border();
  const layer = {left: -part.left / part.width, top: -part.top / part.height};
  Object.assign(layer, {width: shown.whole.width / part.width, height: shown.whole.height / part.height});
  for (const side of Object.keys(layer)) canvas.style.setProperty(`--layer-${side}`, `${100 * layer[side]}%`);
  const share = ((edge - left) / width - layer.left) / layer.width;
  canvas.style.setProperty('--cut', `${within(0, 100 * share, 100)}%`);
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
const tag = () => { find('.tag.right').textContent = (viewOf() === 'matte' && shown.labels?.[2]) || (shown.labels?.[1] ?? ''); };
const bare = (view) => view === 'paint' || view === 'move';  // without the photo as it came
const look = (view) => {
  if (bare(view) !== bare(viewOf())) wipe = bare(view) ? 0 : 0.5;
  if (shown.frame && (view === 'paint') !== (viewOf() === 'paint')) fitted = true;
  find('.viewer').dataset.view = view;
  for (const each of element.querySelectorAll('[data-view]:not(.viewer)')) {
    each.setAttribute('aria-pressed', each.dataset.view === view);
  }
  tag();
  place();
};

// Wheel and pointers. A plain wheel and a vertical swipe are the page's.
const moving = () => viewOf() === 'move' && Boolean(shown.frame);
const move = (next) => {
  const zoom = within(0.2, next.zoom ?? moved.zoom, 5);
  moved = {x: within(-2, next.x ?? moved.x, 2), y: within(-2, next.y ?? moved.y, 2), zoom};
  place();
};
const enlarge = (factor) => {
  const zoom = within(0.2, moved.zoom * factor, 5), share = zoom / moved.zoom;
  move({zoom, x: moved.x * share, y: moved.y * share});
};
const tellMoved = () => element.dispatchEvent(new CustomEvent('framing-moved', {bubbles: true, detail: moved}));
frame.addEventListener('wheel', (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  if (moving()) {
    enlarge(Math.exp(-within(-60, event.deltaY, 60) / 300));
    return tellMoved();
  }
  zoomTo(scale * Math.exp(-within(-60, event.deltaY, 60) / 120), ...inside(event));
}, {passive: false});
frame.addEventListener('dblclick', (event) => { if (tapped?.type !== 'touch' && !tool.takes() && !moving()) toggleAt(...inside(event)); });
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
    held = {kind: moving() ? 'enlarge' : 'pinch', ...pinch(), scale};
  } else if (event.target !== grip && tool.takes()) held = {kind: 'tool'};
  else if (moving()) held = {kind: 'move', x, y, from: moved};
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
  if (held.kind === 'move') {
    move({x: held.from.x + (x - held.x) / canvas.clientWidth, y: held.from.y + (y - held.y) / canvas.clientHeight});
  }
  if (held.kind === 'enlarge' && pointers.size === 2) {
    const now = pinch();
    enlarge(now.apart / held.apart);
    move({x: moved.x + (now.x - held.x) / canvas.clientWidth, y: moved.y + (now.y - held.y) / canvas.clientHeight});
    Object.assign(held, now);
  }
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
  if (held?.kind === 'move' || held?.kind === 'enlarge') {
    held = null;
    return tellMoved();
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
  const [x, y] = WAYS[event.key] ?? [0, 0], step = event.shiftKey ? 0.05 : 0.01;
  if (moving() && event.target === frame && (x || y || '+=-'.includes(event.key))) {
    event.preventDefault();
    if (x || y) move({x: moved.x + step * x, y: moved.y + step * y}); else enlarge(event.key === '-' ? 0.98 : 1 / 0.98);
    return tellMoved();
  }
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
  await Promise.all([next.before, next.after, next.alpha, next.behind, next.shadow].filter(Boolean).map(come));
  if (props.value !== next && JSON.stringify(props.value) !== JSON.stringify(next)) return;  // another one has come meanwhile
  const another = next.photo !== shown.photo, reshaped = next.shape !== shown.shape;
  shown = {...next, whole: {width: next.width, height: next.height}};
  find('.viewer').style.setProperty('--tall', next.height / next.width);
  find('.viewer').classList.toggle('framed', Boolean(next.frame));
  canvas.style.setProperty('--crown', next.frame?.head ? `${100 * next.frame.head[0]}%` : '-9px');
  canvas.style.setProperty('--chin', next.frame?.head ? `${100 * next.frame.head[1]}%` : '-9px');
  canvas.style.setProperty('--across', next.margin?.[1] ?? 0);
  canvas.style.setProperty('--down', next.margin?.[0] ?? 0);
  for (const picture of canvas.querySelectorAll('img')) {
    const address = next[picture.dataset.shows];
    if (address) picture.src = address; else picture.removeAttribute('src');
  }
  canvas.style.setProperty('--mask', next.alpha ? `url("${next.alpha}")` : 'none');
  find('.tag.left').textContent = next.labels[0];
  tag();
  [find('img.before').alt, find('img.after').alt] = next.alts;
  if (another) {
    [fitted, wipe, asked] = [true, 0.5, ''];
    look(next.frame ? 'move' : 'result');
    document.dispatchEvent(new Event('another-photo'));
  } else if (reshaped) {
    fitted = true;
    look(next.frame ? 'move' : 'result');
  }
  if (!next.frame) element.dispatchEvent(new CustomEvent('framed', {bubbles: true, detail: null}));
  tool.renew();
  place();
};
document.addEventListener('backdrop', (event) => {
  if (!event.target.closest('#background')) return;
  const {kind, colour} = event.detail, viewer = find('.viewer');
  const another = kind !== viewer.dataset.backdrop || colour !== viewer.style.getPropertyValue('--behind');
  viewer.dataset.backdrop = kind;
  viewer.style.setProperty('--behind', colour);
  if (another && shown.width && !bare(viewOf())) look('result');  // the other views have a background of their own
});
document.addEventListener('framing', (event) => {
  if (!find('.tools')) return;  // of the stage alone
  moved = {x: event.detail.x, y: event.detail.y, zoom: event.detail.zoom};
  place();
});
new ResizeObserver(place).observe(frame);
watch('value', renew);
renew();  // waits for its pictures, so that what else is done with them is there by then
