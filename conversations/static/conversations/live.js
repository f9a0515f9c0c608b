import { Partials } from "./partials.js";

const EVERY_MS = 1500;

/** Parts of a page (`data-live`, their address): fetched anew while something in them goes on (`data-active`) and the page is looked at. */
for (const part of document.querySelectorAll("[data-live]")) {
  const partials = new Partials((_, fragment) => {
    if (!part.contains(document.activeElement)) part.replaceChildren(fragment);
  });
  setInterval(() => {
    if (document.visibilityState === "visible" && part.querySelector("[data-active]")) partials.fetch(part.dataset.live);
  }, EVERY_MS);
}
