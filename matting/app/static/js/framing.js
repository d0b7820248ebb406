// How the result is framed. Where the person stands is shown by the stage itself; other changes need pictures from Python.
const start = {shape: 'photo', x: 0, y: 0, zoom: 1};
const read = () => ({...start, ...JSON.parse(props.value || '{}')});
const one = (what) => element.querySelector(what);
const sliders = () => element.querySelectorAll('input[type=range]');
const show = (state) => {
  for (const radio of element.querySelectorAll('input[type=radio]')) radio.checked = radio.value === state.shape;
  for (const slider of sliders()) {
    const output = slider.nextElementSibling;
    if (state[slider.dataset.name] !== undefined) slider.value = state[slider.dataset.name];
    const shown = Math.round(slider.value * output.dataset.factor * 10) / 10;
    output.textContent = `${slider.dataset.name === 'shift' && shown > 0 ? '+' : ''}${shown} ${output.dataset.unit}`;
  }
  one('.framing').dataset.value = props.value ?? '';
  one('.placing').hidden = state.shape === 'photo';
};
const keep = (state) => {
  props.value = JSON.stringify(state);
  show(state);
  document.dispatchEvent(new CustomEvent('framing', {detail: state}));
};
element.addEventListener('input', (event) => {
  event.stopPropagation();
  const {name, value} = event.target.dataset.name ? {name: event.target.dataset.name, value: Number(event.target.value)}
    : {name: 'shape', value: event.target.value};
  const state = read();
  if (name === 'zoom') return keep({...state, zoom: value, x: state.x * value / state.zoom, y: state.y * value / state.zoom});
  if (name === 'shape') document.querySelector('#result .frame').scrollIntoView({block: 'nearest', behavior: 'smooth'});
  keep(name === 'shape' ? {...state, x: 0, y: 0, zoom: 1, shape: value} : {...state, [name]: value});
});
element.addEventListener('change', (event) => {  // a slider was let go
  event.stopPropagation();
  if (event.target.dataset.name !== 'zoom') trigger('select', {value: event.target.dataset.name ?? 'shape'});
});
one('details').addEventListener('toggle', () => {  // the stage stays over it, and must not cover what was opened
  if (one('details').open) one('summary').scrollIntoView({block: 'nearest'});
});
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-act=back]')) keep({...read(), x: 0, y: 0, zoom: 1});
});
document.addEventListener('framing-moved', (event) => keep({...read(), ...event.detail}));
document.addEventListener('another-photo', () => keep({...read(), x: 0, y: 0, zoom: 1}));
document.addEventListener('backdrop', (event) => {
  if (event.target.closest('#background')) one('[data-row=blur]').hidden = event.detail.kind !== 'blur';
});
one('[data-row=blur]').hidden = true;
show(read());
