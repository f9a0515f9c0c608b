import { Partials } from "./partials.js";
import { setTime, showTimes } from "./times.js";

const SOON_MS = 400;
const EVERY_MS = 30_000;

/** The list of conversations: fetched anew when something happened here, and now and then while it is looked at. */
export class ConversationList {
  #nav;
  #current;
  #partials = new Partials((_, fragment) => this.#show(fragment));
  #timer = null;

  /** @param {HTMLElement} nav  @param {string} [current]  id of the conversation on this page */
  constructor(nav, current = "") {
    this.#nav = nav;
    this.#current = current;
    showTimes(nav);
    document.addEventListener("visibilitychange", () => this.changed());
    setInterval(() => this.changed(), EVERY_MS);
  }

  /** Something that the list shows may have changed. */
  changed() {
    if (document.visibilityState !== "visible" || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#partials.fetch(this.#nav.dataset.url);
    }, SOON_MS);
  }

  /** Something was said here at a time, and that is all: this conversation stands first, as the server would say. */
  said(at) {
    const entry = this.#nav.querySelector(`a[data-id="${this.#current}"]:not([data-untitled])`);
    if (!entry || this.#partials.busy || document.visibilityState !== "visible") return this.changed();
    setTime(entry.querySelector("time"), at);
    const line = entry.closest("li");
    if (!line.previousElementSibling) return;
    const focused = line.contains(document.activeElement) && document.activeElement;
    line.parentElement.prepend(line);
    if (focused) focused.focus();
  }

  #show(fragment) {
    const focused = this.#nav.contains(document.activeElement) && document.activeElement.dataset.id;
    fragment.querySelector(`a[data-id="${this.#current}"]`)?.setAttribute("aria-current", "page");
    fragment.querySelector(`a[data-id="${this.#current}"] .badge`)?.remove();
    showTimes(fragment);
    this.#nav.replaceChildren(fragment);
    if (focused) this.#nav.querySelector(`a[data-id="${focused}"]`)?.focus();
  }
}
