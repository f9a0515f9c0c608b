import { clone, say } from "./page.js";

const SHOWN_MS = 1500;

/** A button on every block of code that copies it. */
export function addCopyButtons(root) {
  if (!navigator.clipboard) return; // only on https and on this machine
  for (const block of root.querySelectorAll("pre.code:not(:has(.copy))")) {
    const button = clone("copy");
    button.addEventListener("click", () => copy(block, button));
    block.append(button);
  }
}

async function copy(block, button) {
  await navigator.clipboard.writeText(block.querySelector("code").textContent);
  const label = button.textContent;
  button.textContent = say("copied");
  setTimeout(() => (button.textContent = label), SHOWN_MS);
}
