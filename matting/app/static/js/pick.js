// A click, Enter or Space on an element marked data-pick tells Python its value.
const pick = (event) => {
  const target = event.target.closest('[data-pick]');
  if (!target || !element.contains(target)) return;
  event.preventDefault();
  trigger('select', {value: target.dataset.pick});
};
element.addEventListener('click', pick);
element.addEventListener('keydown', (event) => { if (event.key === 'Enter' || event.key === ' ') pick(event); });
