// The whole page takes dropped or pasted files: a photo goes to the tab Photo, a clip to Clip, several photos or a zip to Batch.
// Files whose kind the browser does not know by their name (IMG_0001.HEIC) are given one by their ending or content, before
// anybody asks.
const KINDS = {
  heic: 'image/heic', heif: 'image/heif', hif: 'image/heif', avif: 'image/avif', jxl: 'image/jxl', webp: 'image/webp',
  jpg: 'image/jpeg', jpeg: 'image/jpeg', jfif: 'image/jpeg', png: 'image/png', tif: 'image/tiff', tiff: 'image/tiff',
  bmp: 'image/bmp', gif: 'image/gif', mp4: 'video/mp4', m4v: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm',
  mkv: 'video/x-matroska', avi: 'video/x-msvideo',
};
const STARTS = [  // bytes at an offset, in Latin-1
  [0, '\xff\xd8\xff', 'image/jpeg'], [0, '\x89PNG', 'image/png'], [8, 'WEBP', 'image/webp'], [0, 'II*\0', 'image/tiff'],
  [0, 'MM\0*', 'image/tiff'], [0, 'GIF8', 'image/gif'], [0, 'BM', 'image/bmp'], [0, '\xff\x0a', 'image/jxl'],
  [4, 'JXL ', 'image/jxl'], [4, 'ftypavif', 'image/avif'], [4, 'ftypavis', 'image/avif'], [4, 'ftyphei', 'image/heic'],
  [4, 'ftyphev', 'image/heic'], [4, 'ftypmif1', 'image/heif'], [4, 'ftypmsf1', 'image/heif'], [4, 'ftypqt', 'video/quicktime'],
  [4, 'ftyp', 'video/mp4'], [0, '\x1aE\xdf\xa3', 'video/webm'],
];
const known = (file) => /^(image|video|audio)\//.test(file.type);
const kindOf = async (file) => {
  const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  const found = STARTS.find(([offset, bytes]) => start.startsWith(bytes, offset));
  return found?.[2] ?? KINDS[file.name.split('.').pop().toLowerCase()] ?? file.type;
};
const named = async (file) => known(file) ? file : new File([file], file.name, {type: await kindOf(file)});
const ours = new WeakSet();
// What a box is not for is sent all the same: the server says what is wrong with it and what to do.
const wantedBy = ({accept}) => (accept.includes('zip') ? '' : ['image/', 'video/'].find((kind) => accept.includes(kind))) ?? '';
const fitting = (file, input) => file.type.startsWith(wantedBy(input));
const passed = (file, input) => fitting(file, input) ? file : new File([file], file.name, {type: `${wantedBy(input)}x-other`});
const hand = (input, files) => {
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(passed(file, input));
  input.files = carrier.files;
  const event = new Event('change', {bubbles: true});
  ours.add(event);
  input.dispatchEvent(event);
};
document.addEventListener('change', async (event) => {
  const input = event.target;
  if (input.type === 'file') for (const close of document.querySelectorAll('.toast-close')) close.click();  // of the last file
  if (input.type !== 'file' || ours.has(event)) return;
  if ([...input.files].every((file) => known(file) && fitting(file, input))) return;
  event.stopImmediatePropagation();
  hand(input, await Promise.all([...input.files].map(named)));
}, true);

const mark = element.querySelector('#anywhere');
const soon = async (find) => {
  for (let tries = 0; tries < 50; tries += 1) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return null;
};
document.addEventListener('click', (event) => {  // the dialog greys out what it does not know
  const input = event.target;
  if (input.type !== 'file' || !input.accept.includes('image/*') || input.accept.includes('.heic')) return;
  input.accept += Object.keys(KINDS).filter((ending) => KINDS[ending].startsWith('image/')).map((ending) => `,.${ending}`).join('');
}, true);
const UPLOAD = '.source-selection button:first-child';
const show = (tab) => {
  const buttons = [...document.querySelectorAll('[role=tab]')];
  buttons.find((button) => button.textContent.trim() === mark.dataset[tab])?.click();
};
const send = async (files, target) => {
  const all = await Promise.all(files.map(named)), clip = all[0].type.startsWith('video/');
  const many = !clip && (all.length > 1 || /\.zip$/i.test(all[0].name) || target?.closest?.('#batch-drop'));
  if (many) {
    show('batch');
    return hand(await soon(() => document.querySelector('#batch-drop input[type=file]')), all);
  }
  const box = target?.closest?.('.block:has(input[type=file])');
  const wanted = box && !clip === !box.closest('#clip') ? box : null;
  if (wanted) return hand(wanted.querySelector('input[type=file]'), all.slice(0, 1));
  show(clip ? 'clip' : 'photo');
  const tray = await soon(() => document.querySelector(clip ? '#clip' : '#photo'));
  if (!tray.querySelector('input[type=file]')) tray.querySelector(UPLOAD)?.click();  // it shows a clip, or the camera
  const input = await soon(() => tray.querySelector('input[type=file]'));
  if (input) hand(input, all.slice(0, 1));
};
// Where there is a photo or a clip already, the button for another one asks for it, and until then nothing is taken away.
const choose = (box) => {
  const input = document.createElement('input');
  [input.type, input.accept] = ['file', box.querySelector('video') ? 'video/*' : 'image/*'];
  input.addEventListener('change', () => { if (input.files.length) send([...input.files], box); });
  input.click();
};
document.addEventListener('click', (event) => {
  if (!event.isTrusted) return;
  const box = event.target.closest?.(UPLOAD)?.closest('.block');
  if (!box?.querySelector('.image-frame img') && !box?.querySelector('video')?.currentSrc) return;
  event.stopImmediatePropagation();
  choose(box);
}, true);
let inside = 0;
const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
const drag = (act) => (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act(event);
  mark.hidden = inside <= 0;
};
document.addEventListener('dragenter', drag(() => { inside += 1; }), true);
document.addEventListener('dragleave', drag(() => { inside -= 1; }), true);
document.addEventListener('dragover', drag(() => {}), true);
document.addEventListener('drop', drag((event) => {
  inside = 0;
  const files = [...event.dataTransfer.files];
  if (files.length) send(files, event.target);
}), true);
document.addEventListener('open-photo', (event) => {
  send([event.detail], null);
  scrollTo(0, 0);
});
document.addEventListener('paste', (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  send(files, null);
}, true);
