// The gallery of a batch: a card a photo, the cut-out with the photo over it up to a border that can be moved.
const gallery = element.querySelector('.gallery'), words = gallery.dataset;
const fill = (text, name) => text.replace('{name}', name);
const make = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const begin = (card) => {
  const open = make('button', {type: 'button', class: 'open', 'data-open': card.number}, words.open);
  const figure = make('figure', {class: 'batch-card'}, make('div', {class: 'pair'}),
    make('figcaption', {}, make('b', {title: card.name}, card.name), make('span', {})), open);
  open.setAttribute('aria-label', `${words.open}: ${card.name}`);
  return figure;
};
const show = (figure, card) => {
  figure.dataset.state = card.state;
  figure.querySelector('figcaption span').textContent = card.words;
  const pair = figure.querySelector('.pair');
  if (!card.after || pair.children.length) return;
  const grip = make('input', {type: 'range', min: 0, max: 100, value: 50, 'aria-label': fill(words.grip, card.name)});
  grip.addEventListener('input', () => pair.style.setProperty('--wipe', grip.value));
  pair.style.aspectRatio = Math.min(2, Math.max(0.6, card.ratio));
  pair.append(make('img', {class: 'after', src: card.after, alt: fill(words.after, card.name)}),
    make('img', {class: 'before', src: card.before, alt: fill(words.before, card.name)}), make('i', {class: 'line'}), grip);
};
let key = '';
const draw = () => {
  const value = props.value ?? {}, cards = value.cards ?? [];
  if (value.key !== key) gallery.textContent = '';
  key = value.key;
  for (const card of cards) {
    if (!gallery.children[card.number]) gallery.append(begin(card));
    show(gallery.children[card.number], card);
  }
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button.open');
  if (button) trigger('select', {value: Number(button.dataset.open)});
});
watch('value', draw);
draw();
