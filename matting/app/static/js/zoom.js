// All pictures of a comparison zoom to the place under the pointer.
const move = (event) => {
  const frame = event.target.closest('.zoomed');
  if (!frame) return;
  const box = frame.getBoundingClientRect();
  element.style.setProperty('--zoom-x', `${100 * (event.clientX - box.left) / box.width}%`);
  element.style.setProperty('--zoom-y', `${100 * (event.clientY - box.top) / box.height}%`);
};
element.addEventListener('pointermove', move);
element.addEventListener('pointerdown', move);
element.addEventListener('input', (event) => element.style.setProperty('--zoom', event.target.value));
