import { excuse } from "./acts.js";
import { call } from "./calls.js";
import { say } from "./page.js";

/** Taking back what waits for its answer, without leaving the page. A plain form otherwise. */
export class Queue {
  #onNote;

  /** @param {{root: HTMLElement, onNote: (text: string) => void}} options */
  constructor({ root, onNote }) {
    this.#onNote = onNote;
    root.addEventListener("submit", (event) => this.#submitted(event));
  }

  async #submitted(event) {
    if (!event.target.matches("[data-take-back]")) return;
    event.preventDefault();
    const run = event.target.elements.run.value;
    try {
      await call("DELETE", `/api/v1/runs/${run}/`); // what became of it comes as an event
    } catch (error) {
      this.#onNote(error.code === "conflict" ? say("too_late") : excuse(error));
    }
  }
}
