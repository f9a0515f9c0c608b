/**
 * The form in which messages are written: Enter sends, Shift+Enter makes a new line, and the field grows.
 * `onSend(text)` is called with what was written; the field is empty then.
 */
export class Composer {
  #form;
  #field;
  #onSend;

  /**
   * @param {HTMLFormElement} form
   * @param {{onSend: (text: string, form: HTMLFormElement) => void, onTyping?: (on: boolean) => void}} calls
   */
  constructor(form, { onSend, onTyping = () => {} }) {
    this.#form = form;
    this.#field = form.elements.message;
    this.#onSend = onSend;
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    this.#field.addEventListener("input", () => {
      this.#grow();
      onTyping(this.#field.value.trim() !== "");
    });
    form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.#grow();
    if (matchMedia("(hover: hover)").matches) this.focus();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Gives a text back for changing; what is being written stays, behind it. */
  put(text) {
    const written = this.#field.value.trim();
    this.#field.value = written ? `${text}\n\n${written}` : text;
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
    const text = event.submitter?.name === "suggestion" ? event.submitter.value : this.#field.value;
    if (!text.trim()) return;
    if (text === this.#field.value) this.#field.value = "";
    this.#grow();
    this.#onSend(text, this.#form);
    this.focus();
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}
