// Hand a file of the server to the first tab, as if it had been dropped there.
async (file) => {
  const one = Array.isArray(file) ? file[0] : file;
  if (!one) return;
  const content = await (await fetch(one.url)).blob();
  const named = new File([content], one.orig_name ?? 'photo', {type: content.type});
  document.dispatchEvent(new CustomEvent('open-photo', {detail: named}));
}
