/** A `<details class="menu">` closes by Escape and by a press elsewhere, as menus do. */
export function closeMenus() {
  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("pointerdown", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of open()) close(menu);
  });
}

// After the key's other listeners, which look whether a menu is open.
function close(menu) {
  setTimeout(() => (menu.open = false));
  menu.querySelector("summary").focus();
}
