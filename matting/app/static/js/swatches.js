// What the person is put on. The browser changes colours by itself; Python is asked for pictures.
const kindOf = (choice) => choice.startsWith('#') ? 'colour' : choice;
const tell = () => {
  const choice = props.value, kind = kindOf(choice), picker = element.querySelector('input[type=color]');
  for (const radio of element.querySelectorAll('input[type=radio]')) radio.checked = radio.value === choice;
  picker.parentElement.classList.toggle('chosen', kind === 'colour' && !element.querySelector(':checked'));
  element.dispatchEvent(new CustomEvent('backdrop', {bubbles: true, detail: {kind, colour: kind === 'colour' ? choice : ''}}));
};
element.addEventListener('input', (event) => {
  event.stopPropagation();
  const choice = event.target.value;
  if (choice === props.value) return;
  props.value = choice;
  tell();
  trigger('select', {value: choice});
  const box = document.querySelector(element.querySelector('fieldset').dataset.picture);
  if (choice === 'picture' && !box.querySelector('img')) box.querySelector('input[type=file]')?.click();
});
watch('value', tell);
tell();
