// Start the download of the file that has just been made.
(file) => {
  const one = Array.isArray(file) ? file[0] : file;
  if (!one) return;
  const link = document.createElement('a');
  link.href = one.url;
  link.download = one.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
  document.dispatchEvent(new Event('file-done'));
}
