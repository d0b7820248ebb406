// Whoever was chosen by a key keeps the focus when the picture is drawn anew.
let chosen = null;
element.addEventListener('keydown', (event) => { chosen = event.target.dataset?.pick ?? null; });
element.addEventListener('pointerdown', () => { chosen = null; });
watch('value', () => { if (chosen) element.querySelector(`[data-pick="${chosen}"]`)?.focus({preventScroll: true}); });
