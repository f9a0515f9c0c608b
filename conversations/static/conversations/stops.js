import { clone } from "./page.js";

/** The stop button of the answer that is being written; Escape presses it. Works as a plain form too. */
export class StopButtons {
  #root;
  #onStop;

  /** @param {{root: HTMLElement, onStop: (run: string) => void}} options */
  constructor({ root, onStop }) {
    this.#root = root;
    this.#onStop = onStop;
    document.addEventListener("submit", (event) => this.#submitted(event));
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  show(run) {
    if (this.#find(run)) return;
    const form = clone("stop");
    form.elements.run.value = run;
    this.#root.append(form);
  }

  /** @returns {boolean} whether the button had the focus */
  hide(run) {
    const form = this.#find(run);
    const focused = form?.contains(document.activeElement) ?? false;
    form?.remove();
    return focused;
  }

  /** Shows exactly the buttons of these runs. */
  only(runs) {
    for (const form of [...this.#root.children]) if (!runs.includes(form.elements.run.value)) form.remove();
    for (const run of runs) this.show(run);
  }

  #find(run) {
    return [...this.#root.children].find((form) => form.elements.run.value === run);
  }

  #submitted(event) {
    if (!event.target.matches("[data-stop]")) return;
    event.preventDefault();
    this.#onStop(event.target.elements.run.value);
  }

  #pressed(event) {
    const other = document.querySelector("details.menu[open], dialog[open]");
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || other) return;
    this.#root.querySelector("form")?.requestSubmit();
  }
}
