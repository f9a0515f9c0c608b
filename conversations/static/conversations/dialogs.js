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
