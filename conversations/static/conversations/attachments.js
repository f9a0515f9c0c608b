import { clone, say } from "./page.js";
import { Upload, takeBack } from "./uploading.js";

const REASONS = new Set(["too_large", "unsupported", "quota_exceeded", "empty", "many"]);

/** A file above the message that is being written: waiting, uploading, there (`id`), or refused (`error`). */
class Attached {
  id = null;
  error = null;
  started = false;
  #chip = clone("attached");
  #upload = null;

  constructor({ name, size = null, file = null, id = null }, { onRemove, onRetry }) {
    Object.assign(this, { name, file, id });
    this.#upload = file && new Upload(file);
    const part = (selector) => this.#chip.querySelector(selector);
    part("[data-name]").textContent = name;
    part("[data-size]").textContent = size === null ? "" : sizeText(size);
    part("progress").setAttribute("aria-label", say("attach_uploading", { name }));
    part("[data-remove]").setAttribute("aria-label", say("attach_remove", { name }));
    part("[data-remove]").addEventListener("click", () => onRemove(this));
    part("[data-retry]").addEventListener("click", () => onRetry(this));
  }

  get chip() {
    return this.#chip;
  }

  /** Neither there nor refused. */
  get waits() {
    return this.id === null && this.error === null;
  }

  async send(conversation) {
    this.#show({ uploading: true });
    try {
      const { id } = await this.#upload.send(await conversation(), (share) => this.#progress(share));
      this.id = id;
      this.#show({});
    } catch (error) {
      this.refuse(error.code ?? "failed");
    }
  }

  refuse(code, values) {
    this.error = code;
    this.#show({ text: say(`attach_${REASONS.has(code) ? code : "failed"}`, values), again: code === "failed" });
  }

  /** Forgets what went wrong, to be sent again. */
  again() {
    this.error = null;
  }

  remove() {
    this.#upload?.abort();
    if (this.id) takeBack(this.id);
    this.#chip.remove();
  }

  focus() {
    this.#chip.querySelector("[data-remove]").focus();
  }

  #progress(share) {
    this.#chip.querySelector("progress").value = share;
  }

  #show({ uploading = false, text = "", again = false }) {
    this.#chip.classList.toggle("refused", text !== "");
    this.#chip.querySelector("progress").hidden = !uploading;
    this.#chip.querySelector("[data-error]").textContent = text;
    this.#chip.querySelector("[data-retry]").hidden = !again;
  }
}

/**
 * The files of the message that is being written: by button, by dropping them on the page, by pasting. They are
 * uploaded at once where `eager`, else when the message is sent.
 */
export class Attachments {
  #form;
  #list;
  #items = [];
  #conversation;
  #eager;
  #onDone = null;

  /**
   * @param {HTMLFormElement} form
   * @param {{conversation: () => Promise<string>, eager?: boolean}} options  `conversation` is where they belong
   */
  constructor(form, { conversation, eager = true }) {
    this.#form = form;
    this.#list = form.querySelector("[data-attached]");
    this.#conversation = conversation;
    this.#eager = eager;
    const input = form.querySelector("[data-files]");
    const button = form.querySelector("[data-attach]");
    button.hidden = false;
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
    form.elements.message.addEventListener("paste", (event) => this.#onPaste(event));
    this.#acceptDrops();
  }

  get empty() {
    return this.#items.length === 0;
  }

  /** @param {File[]} files */
  add(files) {
    for (const file of files) this.#add({ name: file.name, size: file.size, file });
    if (this.#eager) this.#start();
  }

  /** Gives parts of a refused message back. */
  put(parts) {
    for (const { id, name } of parts) this.#add({ id, name });
  }

  /**
   * The parts of a message, if all are there. Otherwise null: `then` is called when none is on its way any more; what was
   * refused has to be removed or tried again first.
   * @returns {{type: "file", id: string, name: string}[] | null}
   */
  take(then) {
    const refused = this.#items.find((item) => item.error !== null);
    if (this.#items.some((item) => item.waits)) this.#wait(then);
    else refused?.focus();
    if (refused || this.#onDone) return null;
    const parts = this.#items.map(({ id, name }) => ({ type: "file", id, name }));
    for (const item of this.#items) item.chip.remove();
    this.#set([]);
    return parts;
  }

  #add(what) {
    const item = new Attached(what, { onRemove: (one) => this.#remove(one), onRetry: (one) => this.#retry(one) });
    this.#set([...this.#items, item]);
    this.#list.append(item.chip);
    if (what.file) this.#check(item, what.file);
  }

  // What the server would refuse anyway need not go there first.
  #check(item, { size }) {
    const { maxBytes, maxFiles } = this.#form.dataset;
    if (this.#items.length > Number(maxFiles)) item.refuse("many", { n: maxFiles });
    else if (size > Number(maxBytes)) item.refuse("too_large", { size: sizeText(Number(maxBytes)) });
    else if (size === 0) item.refuse("empty");
  }

  #start() {
    const waiting = this.#items.filter((item) => item.waits && !item.started);
    for (const item of waiting) {
      item.started = true;
      item.send(this.#conversation).then(() => {
        item.started = false;
        this.#settled();
      });
    }
  }

  #wait(then) {
    this.#onDone = then;
    this.#note(true);
    this.#start();
  }

  #settled() {
    if (this.#items.some((item) => item.waits)) return;
    const then = this.#onDone;
    this.#onDone = null;
    this.#note(false);
    then?.();
  }

  #note(on) {
    this.#form.querySelector("[data-attach-note]").textContent = on ? say("attach_wait") : "";
  }

  #retry(item) {
    item.again();
    this.#start();
  }

  #remove(item) {
    item.remove();
    this.#set(this.#items.filter((other) => other !== item));
    this.#settled();
    this.#form.elements.message.focus();
  }

  #set(items) {
    this.#items = items;
    this.#form.elements.message.required = items.length === 0;
  }

  #onPaste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.add(files);
  }

  #acceptDrops() {
    let depth = 0;
    const over = (change) => (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      depth = Math.max(0, depth + change);
      this.#form.classList.toggle("dropping", depth > 0);
    };
    document.addEventListener("dragenter", over(1));
    document.addEventListener("dragover", over(0));
    document.addEventListener("dragleave", over(-1));
    document.addEventListener("drop", (event) => {
      over(-Infinity)(event);
      this.add([...event.dataTransfer.files]);
    });
  }
}

/** A number of bytes as people read it. */
function sizeText(bytes) {
  const step = Math.min(2, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const unit = ["byte", "kilobyte", "megabyte"][step];
  const format = { style: "unit", unit, unitDisplay: step ? "short" : "long", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, format).format(bytes / 1024 ** step);
}
