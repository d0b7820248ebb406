// A panel's picture opens as large as the window, with what it is below it; a click, Escape or Back closes it.
if (history.state?.large) history.replaceState(null, '');  // the page was loaded again
addEventListener('popstate', () => {  // Forward opens nothing again
  if (history.state?.large && !document.querySelector('.large-picture')) history.back();
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('.large'), picture = button?.querySelector('img');
  if (!picture) return;
  const box = document.createElement('dialog'), close = document.createElement('button'), words = document.createElement('p');
  box.className = 'large-picture';
  box.setAttribute('aria-label', picture.alt);
  close.textContent = '×';
  close.setAttribute('aria-label', button.dataset.close);
  words.textContent = picture.alt;
  const shown = picture.cloneNode();
  shown.alt = '';  // the words say it
  box.append(shown, words, close);
  const back = () => box.close();
  box.addEventListener('click', back);
  box.addEventListener('close', () => {
    removeEventListener('popstate', back);
    box.remove();
    if (history.state?.large) history.back();
  });
  addEventListener('popstate', back);
  history.pushState({large: true}, '');
  element.append(box);
  box.showModal();
});
