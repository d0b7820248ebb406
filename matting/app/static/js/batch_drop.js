// Photos and zips for a batch: each is sent by itself, as soon as it is chosen; the value is the list of their paths.
const box = element.querySelector('.batch-drop'), input = box.querySelector('input'), chosen = box.querySelector('.chosen');
const failed = box.querySelector('.failed'), none = box.querySelector('.none'), words = box.dataset;
const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);
let bytes = 0, sending = Promise.resolve(), waiting = 0, sent = 0;
const tell = () => {
  const count = (props.value ?? []).length;
  none.hidden = !count;
  chosen.textContent = count ? fill(words.chosen, {count, megabytes: (bytes / 1e6).toFixed(1)}) : '';
};
const refuse = (name, reason) => {
  const line = document.createElement('li');
  line.textContent = fill(words.failed, {name, reason});
  failed.append(line);
};
const send = async (file) => {
  if (file.size > Number(words.most)) return refuse(file.name, words.large);
  const form = new FormData();
  form.append('files', file);
  try {
    const answer = await fetch('gradio_api/upload', {method: 'POST', body: form});
    if (!answer.ok) return refuse(file.name, (await answer.text()).slice(0, 200));
    bytes += file.size;
    props.value = [...(props.value ?? []), ...await answer.json()];
  } catch {
    refuse(file.name, words.broken);
  }
};
const add = (files) => {
  if (!waiting) [sent, failed.textContent] = [0, ''];
  waiting += files.length;
  box.classList.add('sending');
  for (const file of files) {
    sending = sending.then(async () => {
      chosen.textContent = fill(words.sending, {name: file.name, done: sent + 1, total: sent + waiting});
      await send(file);
      [sent, waiting] = [sent + 1, waiting - 1];
      if (waiting) return;
      box.classList.remove('sending');
      tell();
    });
  }
};
input.addEventListener('change', () => {
  add([...input.files]);
  input.value = '';
});
none.addEventListener('click', () => {
  [props.value, bytes] = [[], 0];
  failed.textContent = '';
  tell();
  input.focus();
});
watch('value', () => {
  if (!(props.value ?? []).length) bytes = 0;
  if (!waiting) tell();
});
