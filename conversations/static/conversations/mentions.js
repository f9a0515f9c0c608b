/**
 * Names of assistants, offered while one is typed after "@": arrows move, Enter or Tab takes one, Escape closes.
 */
import { assistantName, assistants } from "./page.js";

const BEGUN = /(?:^|[^\p{L}\p{N}_.@+-])@([\p{L}\p{N}_.-]*)$/u;
const MOVES = { ArrowDown: 1, ArrowUp: -1 };

export class Mentions {
  #field;
  #list;
  #found = [];
  #at = 0;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#field = form.elements.message;
    this.#list = form.querySelector("[data-mentions]");
    form.addEventListener("keydown", (event) => this.#onKey(event), true); // before the form's own keys
    for (const event of ["input", "click"]) this.#field.addEventListener(event, () => this.#look());
    this.#field.addEventListener("blur", () => this.#close());
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const name = event.target.closest("[data-name]")?.dataset.name;
      if (name) this.#take(name);
    });
  }

  get #word() {
    const { selectionStart: at, selectionEnd: end, value } = this.#field;
    return at === end ? BEGUN.exec(value.slice(0, at))?.[1] : undefined;
  }

  #look() {
    const word = this.#word?.toLowerCase();
    if (word === undefined) return this.#close();
    this.#found = Object.keys(assistants).filter((name) => name.toLowerCase().startsWith(word)).slice(0, 8);
    this.#at = 0;
    if (this.#found.length === 0) return this.#close();
    this.#list.hidden = false;
    this.#show();
  }

  #show() {
    this.#list.replaceChildren(...this.#found.map((name, place) => option(name, place, place === this.#at)));
    this.#field.setAttribute("aria-activedescendant", `mention-${this.#at}`);
  }

  #close() {
    this.#list.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
  }

  #onKey(event) {
    if (this.#list.hidden || event.isComposing || event.target !== this.#field) return;
    if (event.key in MOVES) this.#at = (this.#at + MOVES[event.key] + this.#found.length) % this.#found.length;
    else if (event.key === "Escape") this.#close();
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#found[this.#at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (!this.#list.hidden) this.#show();
  }

  #take(name) {
    const at = this.#field.selectionStart;
    this.#field.setRangeText(`${name} `, at - this.#word.length, at, "end");
    this.#close();
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function option(name, place, selected) {
  const item = document.createElement("li");
  item.id = `mention-${place}`;
  item.role = "option";
  item.ariaSelected = String(selected);
  item.dataset.name = name;
  const label = document.createElement("span");
  label.textContent = `@${name}`;
  item.append(label, assistantName(name));
  return item;
}
