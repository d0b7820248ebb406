// A file could not be made.
() => { document.dispatchEvent(new Event('file-done')); }
