// A panel's picture opens as large as the window; a click or Escape closes it.
element.addEventListener('click', (event) => {
  const picture = event.target.closest('.large')?.querySelector('img');
  if (!picture) return;
  const box = document.createElement('dialog');
  box.className = 'large-picture';
  box.setAttribute('aria-label', picture.alt);
  box.append(picture.cloneNode());
  box.addEventListener('click', () => box.close());
  box.addEventListener('close', () => box.remove());
  element.append(box);
  box.showModal();
});
