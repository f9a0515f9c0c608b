/**
 * What becomes of an answer that is being written when somebody speaks: the choice beside the composer, there as long
 * as something is unfinished. It counts for one message, since undoing is nothing to do by habit.
 */
export class BusyChoice {
  #select;
  #runs;

  /** @param {HTMLSelectElement} select  `data-runs` names what was unfinished when the page was made */
  constructor(select) {
    this.#select = select;
    this.#runs = new Set(select.dataset.runs.split(" ").filter(Boolean));
    this.#show();
  }

  began(run) {
    this.#runs.add(run);
    this.#show();
  }

  ended(run) {
    this.#runs.delete(run);
    this.#show();
  }

  /** Exactly these are unfinished. */
  only(runs) {
    this.#runs = new Set(runs);
    this.#show();
  }

  /** What `send` is to be told. */
  take() {
    if (this.#select.disabled || this.#select.value === "enqueue") return {};
    const on_busy = this.#select.value;
    this.#select.value = "enqueue";
    return { on_busy };
  }

  #show() {
    this.#select.hidden = this.#select.disabled = this.#runs.size === 0;
    if (this.#select.hidden) this.#select.value = "enqueue";
  }
}
