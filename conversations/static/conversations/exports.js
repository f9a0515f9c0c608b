import { Partials } from "./partials.js";

const EVERY_MS = 1500;

/** The list of exports: fetched anew while one of them is being made and the page is looked at. */
const list = document.getElementById("exports");
const partials = new Partials((_, fragment) => {
  if (!list.contains(document.activeElement)) list.replaceChildren(fragment);
});

setInterval(() => {
  if (document.visibilityState === "visible" && list.querySelector("[data-active]")) partials.fetch(list.dataset.url);
}, EVERY_MS);
