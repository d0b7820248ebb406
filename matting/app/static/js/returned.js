// What the tab was told before the page was loaded again.
(visit, session) => {
  try {
    return [sessionStorage.getItem('visit') ?? '', session];
  } catch {
    return ['', session];
  }
}
