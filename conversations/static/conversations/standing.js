import { Partials } from "./partials.js";

/** The line above a thread that says who answers, as the server renders it. */
export class Standing {
  #partials;
  #url;

  /** @param {HTMLElement} root  a live region @param {string} base  the address of this conversation's page */
  constructor(root, base) {
    this.#url = `${base}standing/`;
    this.#partials = new Partials((_, fragment) => root.replaceChildren(fragment));
  }

  /** Somebody else answers now, or nobody. */
  changed() {
    this.#partials.fetch(this.#url);
  }

  /** There is a connection again: what could not be fetched is. */
  retry() {
    this.#partials.retry();
  }
}
