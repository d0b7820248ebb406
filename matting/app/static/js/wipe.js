// The same, and a slider that moves the border between two pictures.
element.addEventListener('input', (event) => {
  const glass = event.target.closest('.glass');
  if (glass) { glass.classList.add('held'); glass.style.setProperty('--wipe', event.target.value); }
});
