import { markup } from "./markup.js";
import { clone } from "./page.js";
import { setTime } from "./times.js";

/** Asks before something is done. */
export class Question {
  #dialog;

  /** @param {HTMLDialogElement} dialog  with buttons that close it; the one with the value `yes` agrees */
  constructor(dialog) {
    this.#dialog = dialog;
  }

  /** @returns {Promise<boolean>} */
  ask() {
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "yes"), { once: true });
    });
  }
}

/** Asks for one's comment on a message, and keeps what could not be saved for the next time. */
export class Comment {
  #question;
  #field;
  #api;
  #unsaved = {};

  /** @param {HTMLDialogElement} dialog  as of Question, with a text field  @param {import("./messages.js").Messages} api */
  constructor(dialog, api) {
    this.#question = new Question(dialog);
    this.#field = dialog.querySelector("textarea");
    this.#api = api;
  }

  /** Rejects where it could not be read or saved. */
  async write(message) {
    const unsaved = this.#unsaved.message === message ? this.#unsaved.text : null;
    this.#field.value = unsaved ?? (await this.#api.get(message)).feedback.comment ?? "";
    if (!(await this.#question.ask())) return;
    this.#unsaved = { message, text: this.#field.value };
    await this.#api.rate(message, { comment: this.#field.value.trim() || null });
    this.#unsaved = {};
  }
}

/** Shows the texts that a message had. */
export class Versions {
  #dialog;
  #api;

  /** @param {HTMLDialogElement} dialog  @param {import("./messages.js").Messages} api */
  constructor(dialog, api) {
    this.#dialog = dialog;
    this.#api = api;
  }

  async show(message) {
    const { results } = await this.#api.versions(message);
    this.#dialog.querySelector("ol").replaceChildren(...results.map(item));
    this.#dialog.showModal();
  }
}

function item({ at, html, selected }) {
  const line = clone("version");
  setTime(line.querySelector("time"), at);
  line.querySelector(".prose").innerHTML = markup(html); // sanitised by the server
  line.querySelector(".mark").hidden = !selected;
  return line;
}
