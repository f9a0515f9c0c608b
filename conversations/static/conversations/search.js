/** The key `/` leads to the search box, from anywhere but a field. */
const box = () => document.querySelector(".search input[type=search]");

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (target.closest("input, textarea, select, [contenteditable], dialog")) return;
  const input = box();
  if (!input?.checkVisibility()) return;
  event.preventDefault();
  input.focus();
  input.select();
});
