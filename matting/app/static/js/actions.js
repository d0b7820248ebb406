// Files that are made when they are asked for: one is downloaded, or laid on the clipboard.
const menu = element.querySelector('details'), main = element.querySelector('[data-pick=png]'), copy = element.querySelector('.copy');
const small = main.querySelector('small'), words = main.dataset;
let kind = 'transparent', size = '', framed = '', asked = null;
const caption = () => { small.textContent = size ? [words[kind], framed || size].join(' · ') : ''; };
const busy = (button) => {
  asked = button;
  element.querySelector('.actions').classList.toggle('making', Boolean(button));
  if (button) button.setAttribute('aria-busy', 'true');
  else for (const each of element.querySelectorAll('[aria-busy]')) each.removeAttribute('aria-busy');
};
const say = (text) => {
  const label = copy.querySelector('span');
  label.textContent = text;
  setTimeout(() => { label.textContent = copy.dataset.name; }, 4000);
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || asked) return;
  menu.open = false;
  if (button !== copy) {
    busy(button);
    trigger('select', {value: button.dataset.pick});
    return;
  }
  if (!window.ClipboardItem || !navigator.clipboard?.write) return say(copy.dataset.failed);
  busy(button);
  const made = new Promise((resolve, reject) => {
    document.addEventListener('copy-made', (file) => resolve(file.detail), {once: true});
    document.addEventListener('file-done', reject, {once: true});
  });
  const picture = made.then((url) => fetch(url)).then((answer) => answer.blob());
  navigator.clipboard.write([new ClipboardItem({'image/png': picture})])
    .then(() => say(copy.dataset.copied), () => say(copy.dataset.failed));
  trigger('input');
});
document.addEventListener('file-done', () => busy(null));
document.addEventListener('click', (event) => { if (!menu.contains(event.target)) menu.open = false; });
menu.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
document.addEventListener('backdrop', (event) => {
  if (!event.target.closest('#background')) return;
  ({kind} = event.detail);
  caption();
});
document.addEventListener('framed', (event) => {
  framed = event.detail ? event.detail.join(' × ') : '';
  caption();
});
const renew = () => {
  size = props.value ?? '';
  element.querySelector('.actions').inert = !size;
  caption();
};
watch('value', renew);
renew();
