// The address in the program is that of this page; the text comes a moment after this.
const own = location.origin + location.pathname.replace(/\/$/, '');
const put = (tries) => {
  const texts = document.createTreeWalker(document.querySelector('#about-use') ?? element, NodeFilter.SHOW_TEXT);
  let found = false;
  while (texts.nextNode()) {
    if (!texts.currentNode.data.includes('{address}')) continue;
    texts.currentNode.data = texts.currentNode.data.replace('{address}', own);
    found = true;
  }
  if (!found && tries) setTimeout(put, 100, tries - 1);
};
put(50);
