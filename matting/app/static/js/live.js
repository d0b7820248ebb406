// The camera, cut out as it runs: frames go to the server as JPEGs, two under way at most; what comes back is the matte of the
// frame before, as the opacity of a picture. The background is drawn here, so it is never sent.
const live = element.querySelector('.camera'), words = live.dataset, start = live.querySelector('.start');
const note = live.querySelector('.note'), rate = live.querySelector('.rate'), stage = live.querySelector('canvas');
const video = live.querySelector('video'), paper = stage.getContext('2d');
const SIDES = words.sides.split(' ').map(Number), LONGEST = 640, LEAST_FPS = 9, MOST_FPS = 15, UNDER_WAY = 2;
const canvas = () => document.createElement('canvas');
const shot = canvas(), person = canvas(), small = canvas();
const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);
const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
let run = null, backdrop = {kind: 'colour', colour: words.colour}, picture = null;

const ask = (name, ticket, options = {}) =>
  fetch(`gradio_api/live/${name}`, {method: 'POST', headers: {'X-Live-Ticket': ticket}, ...options});
const cover = (target, source, width, height) => {
  const scale = Math.max(target.canvas.width / width, target.canvas.height / height);
  const [w, h] = [width * scale, height * scale];
  target.drawImage(source, (target.canvas.width - w) / 2, (target.canvas.height - h) / 2, w, h);
};
const sized = (made, width, height) => {
  if (made.width !== width || made.height !== height) [made.width, made.height] = [width, height];
  return made.getContext('2d');
};
const behind = (frame) => {
  if (backdrop.kind === 'picture' && picture) return cover(paper, picture, picture.width, picture.height);
  if (backdrop.kind !== 'blur') {
    paper.fillStyle = backdrop.colour || words.colour;
    return paper.fillRect(0, 0, stage.width, stage.height);
  }
  const [w, h] = [Math.ceil(stage.width / 24), Math.ceil(stage.height / 24)], soft = sized(small, 4 * w, 4 * h);
  soft.imageSmoothingQuality = paper.imageSmoothingQuality = 'high';
  soft.drawImage(frame, 0, 0, 4 * w, 4 * h);  // by steps: one alone would only pick some pixels
  soft.drawImage(small, 0, 0, w, h);
  paper.drawImage(small, 0, 0, w, h, 0, 0, stage.width, stage.height);
};
const draw = (frame, matte) => {
  sized(stage, frame.width, frame.height);
  const layer = sized(person, frame.width, frame.height);
  layer.globalCompositeOperation = 'copy';
  layer.drawImage(frame, 0, 0);
  layer.globalCompositeOperation = 'destination-in';
  layer.drawImage(matte, 0, 0, frame.width, frame.height);
  behind(frame);
  paper.drawImage(person, 0, 0);
};

// The working size: smaller while frames come too slowly, larger again where there is much time left.
const adapt = (one) => {
  const now = performance.now();
  one.shown = one.shown.filter((at) => now - at < 3000);
  const fps = one.shown.length / Math.min(3, (now - one.since) / 1000);
  rate.textContent = fill(words.rate, {fps: fps.toFixed(1), side: one.side, milliseconds: Math.round(one.busy)});
  Object.assign(rate.dataset, {fps: fps.toFixed(2), side: one.side});
  const place = SIDES.indexOf(one.side), next = SIDES[place + 1], most = 1000 / LEAST_FPS;
  if (now - one.changed < 3000) return;
  if (fps < LEAST_FPS && one.busy > most / 2 && place > 0) {
    one.tooLarge = {side: one.side, at: now};
    [one.side, one.changed] = [SIDES[place - 1], now];
  } else if (next && one.busy * (next / one.side) ** 1.5 < 0.85 * most && (next < one.tooLarge.side || now - one.tooLarge.at > 20000)) {
    [one.side, one.changed] = [next, now];
  }
};
const capture = async (one) => {
  const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
  const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.round(side * scale));
  const pen = sized(shot, width, height);
  pen.setTransform(-1, 0, 0, 1, width, 0);  // as in a mirror
  pen.drawImage(video, 0, 0, width, height);
  const frame = await createImageBitmap(shot);
  const body = await new Promise((resolve) => { shot.toBlob(resolve, 'image/jpeg', 0.9); });
  return {frame, body};
};
const forget = (one, before) => {
  for (const [number, frame] of one.frames) {
    if (number >= before) continue;
    frame.close();
    one.frames.delete(number);
  }
};
const send = async (one) => {
  const number = one.next++;
  one.underWay += 1;
  try {
    const {frame, body} = await capture(one);
    one.frames.set(number, frame);
    const refine = live.querySelector('[name=live-stage]:checked').value;
    const answer = await ask(`frame?number=${number}&side=${one.side}&refine=${refine}`, one.ticket, {body});
    if (run !== one) return;
    if (answer.status === 409) return void again(one);
    if (answer.status === 204 || answer.status === 429) return;
    if (!answer.ok) throw new Error(await answer.text());
    one.failures = 0;
    const shown = Number(answer.headers.get('X-Live-Number')), seconds = Number(answer.headers.get('X-Live-Seconds'));
    one.busy = one.busy ? 0.8 * one.busy + 200 * seconds : 1000 * seconds;
    const matte = await createImageBitmap(await answer.blob());
    if (run === one && shown > one.last && one.frames.has(shown)) {
      draw(one.frames.get(shown), matte);
      one.last = shown;
      one.shown.push(performance.now());
      one.since ||= performance.now() - 100;
      adapt(one);
    }
    matte.close();
    forget(one, shown);
  } catch {
    one.failures += 1;
    if (run === one && one.failures > 5) stop(words.lost);
  } finally {
    one.underWay -= 1;
  }
};
const seen = () => stage.isConnected && stage.offsetParent !== null;
const flow = async (one) => {
  while (run === one && one.flowing) {
    if (!seen()) return stop(words.idle);  // another tab was opened: the camera goes off
    if (one.underWay < UNDER_WAY && video.readyState > 1 && !document.hidden) send(one);
    await wait(1000 / MOST_FPS);
  }
};
const queue = async (one) => {
  while (run === one) {
    if (!seen()) return stop(words.idle);
    const answer = await ask('ask', one.ticket).catch(() => null);
    if (run !== one) return;
    if (!answer?.ok) return stop(answer?.status === 429 ? await answer.text() : words.lost);
    const {ticket, before} = await answer.json();
    one.ticket = ticket;
    if (!before) break;
    note.textContent = fill(words.wait, {before});
    await wait(1500);
  }
  if (run !== one) return;
  Object.assign(one, {flowing: true, shown: [], since: 0, changed: performance.now()});
  note.textContent = words.running;
  flow(one);
};
const again = (one) => {
  if (!one.flowing) return;
  one.flowing = false;
  note.textContent = words.again;
  wait(1500).then(() => { if (run === one) queue(one); });
};
const stop = (message) => {
  const one = run;
  run = null;
  start.textContent = words.start;
  note.textContent = message;
  rate.textContent = '';
  live.classList.remove('on');
  if (!one) return;
  if (one.ticket) ask('leave', one.ticket, {keepalive: true}).catch(() => {});
  for (const track of one.stream?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  forget(one, Infinity);
  paper.clearRect(0, 0, stage.width, stage.height);
};
const begin = async () => {
  const one = {
    ticket: '', next: 0, last: -1, side: 384, busy: 0, tooLarge: {side: Infinity, at: 0}, underWay: 0, failures: 0,
    frames: new Map(), shown: [], since: 0,
  };
  run = one;
  [start.textContent, note.textContent] = [words.stop, words.starting];
  live.classList.add('on');
  try {
    if (!navigator.mediaDevices) throw new Error(words.unsafe);
    one.stream = await navigator.mediaDevices.getUserMedia({video: {width: 640, height: 480, facingMode: 'user'}});
    if (run !== one) return one.stream.getTracks().forEach((track) => track.stop());
    video.srcObject = one.stream;
    await video.play();
  } catch (error) {
    if (run === one) stop(fill(words.camera, {reason: error.message}));
    return;
  }
  queue(one);
};
start.addEventListener('click', () => run ? stop(words.idle) : begin());
addEventListener('pagehide', () => { if (run) stop(words.idle); });
document.addEventListener('backdrop', (event) => {
  if (!event.target.closest('#live-background')) return;
  backdrop = event.detail;
  const box = document.querySelector(words.picture);
  if (box) box.hidden = backdrop.kind !== 'picture';
});
document.addEventListener('change', async (event) => {
  if (!event.target.closest?.(words.picture) || !event.target.files.length) return;
  picture = await createImageBitmap(event.target.files[0]).catch(() => null);
});
