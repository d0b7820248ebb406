// The clip's preview stops where it is.
() => document.querySelector('#clip-preview video')?.pause()
