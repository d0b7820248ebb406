// Every tab has an address of its own (#compare): Back goes to the tab before, a reload or a link opens the tab it names.
const tabs = () => [...document.querySelectorAll('[role=tablist] [role=tab]')].filter((tab) => tab.textContent.trim());
const addressOf = (tab) => `#${tab.textContent.trim().toLowerCase()}`;
const addressed = () => tabs().find((tab) => addressOf(tab) === location.hash);
document.addEventListener('click', ({target}) => {
  const tab = target.closest?.('[role=tab]');
  if (tab && tab !== (addressed() ?? tabs()[0])) history.pushState(null, '', location.pathname + location.search + addressOf(tab)); // a bare one counts from <base>
});
addEventListener('popstate', () => {
  const tab = addressed() ?? tabs()[0];
  if (tab.ariaSelected !== 'true') tab.click();
});
if (location.hash) soon(addressed).then((tab) => tab?.click());
