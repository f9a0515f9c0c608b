const SHOWN_MS = 4000;

/** A line that says what has just happened, and goes by itself. */
export class Notice {
  #line;
  #timer = null;

  /** @param {HTMLElement} line  with the role `status` */
  constructor(line) {
    this.#line = line;
  }

  show(text) {
    clearTimeout(this.#timer);
    this.#line.textContent = text;
    this.#line.hidden = false;
    this.#timer = setTimeout(() => (this.#line.hidden = true), SHOWN_MS);
  }
}
