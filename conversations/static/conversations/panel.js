import { Refused } from "./calls.js";
import { reason, say } from "./page.js";

/** A dialog with a list that the server knows, and a form that adds to it. */
export class Panel {
  #dialog;

  /** @param {HTMLDialogElement} dialog  with a list, a form `[data-add]`, a line `[data-problem]`; opened by `[data-opens=<id>]` */
  constructor(dialog) {
    this.#dialog = dialog;
    for (const button of document.querySelectorAll(`[data-opens=${dialog.id}]`)) button.addEventListener("click", () => this.open());
    this.form?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.doing(() => this.add(new FormData(this.form)));
    });
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  }

  get dialog() {
    return this.#dialog;
  }

  get list() {
    return this.#dialog.querySelector("ul");
  }

  get form() {
    return this.#dialog.querySelector("[data-add]");
  }

  /** Shows the dialog; the menu that it was opened from gets the focus back. */
  async open() {
    const menu = document.querySelector("details.menu[open]");
    if (menu) menu.open = false;
    this.list.replaceChildren();
    this.#dialog.showModal();
    this.#dialog.addEventListener("close", () => menu?.querySelector("summary").focus(), { once: true });
    await this.doing(() => this.fill());
  }

  /** Somebody else may have changed what is listed. */
  async changed() {
    if (this.#dialog.open) await this.doing(() => this.fill());
  }

  /** Does something, and says why where the server refuses. */
  async doing(act) {
    this.say("");
    try {
      await act();
    } catch (error) {
      this.say(error instanceof Refused ? say("refused", { reason: this.reason(error) }) : say("act_unreachable"));
    }
  }

  reason(error) {
    return reason(error.code);
  }

  say(text) {
    const line = this.#dialog.querySelector("[data-problem]");
    line.textContent = text;
    line.hidden = !text;
  }
}
