import { clone, reason, say } from "./page.js";

/** Messages that are not acknowledged yet, below the thread; and those that were refused, with their text. */
export class Unsent {
  #root;
  #onEdit;
  #articles = new Map(); // cmid → article

  /** @param {{root: HTMLElement, onEdit: (text: string, parts: object[]) => void}} options */
  constructor({ root, onEdit }) {
    this.#root = root;
    this.#onEdit = onEdit;
  }

  add({ cmid, text, parts = [] }, connected) {
    if (this.#articles.has(cmid)) return;
    const article = clone("unsent");
    article.querySelector("[data-text]").textContent = text;
    article.querySelector("[data-parts]").append(...parts.map(({ name }) => entry(name)));
    this.#articles.set(cmid, article);
    this.#root.append(article);
    note(article, connected);
  }

  remove(cmid) {
    this.#articles.get(cmid)?.remove();
    this.#articles.delete(cmid);
  }

  /** Says of all of them whether they are on their way or wait. */
  connected(on) {
    for (const article of this.#articles.values()) note(article, on);
  }

  /** The server will not take it: the text can be taken back. */
  refused({ cmid, code, body }) {
    this.add({ cmid, ...body }, false);
    const article = this.#articles.get(cmid);
    this.#articles.delete(cmid);
    article.classList.replace("pending", "refused");
    const line = article.querySelector(".note");
    line.className = "note failed";
    line.textContent = say("refused", { reason: reason(code) });
    this.#offer(article, body);
  }

  #offer(article, { text, parts }) {
    const actions = article.querySelector(".actions");
    actions.hidden = false;
    actions.querySelector("[data-edit]").addEventListener("click", () => {
      article.remove();
      this.#onEdit(text, parts);
    });
    actions.querySelector("[data-discard]").addEventListener("click", () => article.remove());
  }
}

function entry(name) {
  return Object.assign(document.createElement("li"), { textContent: name });
}

function note(article, connected) {
  article.querySelector("[data-note]").textContent = say(connected ? "sending" : "unsent");
}
