import { Mentions } from "./mentions.js";

/**
 * The form in which messages are written: Enter sends, Shift+Enter makes a new line, and the field grows.
 * `onSend(text, form, parts)` is called with what was written and attached; field and chips are empty then.
 */
export class Composer {
  #form;
  #field;
  #onSend;
  #attachments;

  /**
   * @param {HTMLFormElement} form
   * @param {{onSend: (text: string, form: HTMLFormElement, parts: object[]) => void, onTyping?: (on: boolean) => void,
   *   attachments: import("./attachments.js").Attachments}} options
   */
  constructor(form, { onSend, onTyping = () => {}, attachments }) {
    this.#form = form;
    this.#field = form.elements.message;
    this.#onSend = onSend;
    this.#attachments = attachments;
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    this.#field.addEventListener("input", () => {
      this.#grow();
      onTyping(this.#field.value.trim() !== "");
    });
    new Mentions(form);
    form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.#grow();
    if (matchMedia("(hover: hover)").matches) this.focus();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Gives a message back for changing; what is being written stays, behind it. */
  put(text, parts = []) {
    const written = this.#field.value.trim();
    this.#field.value = written && text ? `${text}\n\n${written}` : text || written;
    this.#attachments.put(parts);
    this.#grow();
    this.focus();
  }

  // While an input method composes (Chinese, Japanese, Korean), Enter chooses a word.
  #onKey(event) {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #onSubmit(event) {
    event.preventDefault();
    if (event.submitter?.name === "suggestion") return this.#onSend(event.submitter.value, this.#form, []);
    const text = this.#field.value;
    if (!text.trim() && this.#attachments.empty) return;
    const parts = this.#attachments.take(() => this.#form.requestSubmit());
    if (parts === null) return;
    this.#field.value = "";
    this.#grow();
    this.#onSend(text, this.#form, parts);
    this.focus();
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}
