// What this tab says after a reload, so that its last result is found again. It goes with the tab.
const keep = () => {
  try {
    if (props.value) sessionStorage.setItem('visit', props.value);
  } catch { /* a browser that keeps nothing for framed pages */ }
};
watch('value', keep);
keep();
