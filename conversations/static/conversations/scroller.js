const NEAR_PX = 120;

/** Keeps the end of the thread in sight, unless somebody has scrolled away to read. */
export class Scroller {
  #area;
  #button;
  #pinned = true;

  /** @param {{area: HTMLElement, button: HTMLButtonElement}} parts  `button` leads back to the end */
  constructor({ area, button }) {
    this.#area = area;
    this.#button = button;
    area.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    const follow = new ResizeObserver(() => this.#follow());
    for (const child of area.children) follow.observe(child);
    follow.observe(area);
    if (area.querySelector(":target")) this.#scrolled(); // somebody came for this message
    else this.toEnd();
  }

  toEnd() {
    this.#pinned = true;
    this.#follow();
  }

  /** Runs `change`, which adds something above, without moving what is being read. */
  keeping(change) {
    const fromEnd = this.#area.scrollHeight - this.#area.scrollTop;
    this.#pinned = false;
    change();
    this.#area.scrollTop = this.#area.scrollHeight - fromEnd;
  }

  #follow() {
    if (this.#pinned) this.#area.scrollTop = this.#area.scrollHeight;
    this.#button.hidden = this.#pinned;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#area;
    this.#pinned = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.#button.hidden = this.#pinned;
  }
}
