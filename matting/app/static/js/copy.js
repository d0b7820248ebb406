// The file that is to be copied has been made.
(file) => {
  const one = Array.isArray(file) ? file[0] : file;
  if (!one) return;
  document.dispatchEvent(new CustomEvent('copy-made', {detail: one.url}));
  document.dispatchEvent(new Event('file-done'));
}
