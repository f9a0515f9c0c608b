import { reason, say } from "./page.js";
import { Refused } from "./messages.js";
import { dressToggles, toggle } from "./toggles.js";

const LATER = new Set(["edit", "versions", "again"]); // what has changed nothing yet

/** The buttons below a message: copy, rate, edit, delete, pin, ask once more, move between answers. */
export class Acts {
  #api;
  #options;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root  where the messages are
   * @param {import("./messages.js").Messages} options.api
   * @param {import("./editor.js").Editor} options.editor
   * @param {{ask: () => Promise<boolean>}} options.deleting
   * @param {{show: (message: string) => Promise<void>}} options.versions
   * @param {{write: (message: string) => Promise<void>}} options.comment
   * @param {(message: string) => void} options.onChanged
   * @param {(text: string) => void} options.onNote  something to tell
   */
  constructor(options) {
    this.#options = options;
    this.#api = options.api;
    options.root.addEventListener("click", (event) => this.#clicked(event));
    options.root.addEventListener("keydown", moveWithin);
  }

  #acts = {
    copy: (button, message) => this.#copy(button, message),
    like: (button, message) => toggle(button, (on) => this.#api.rate(message, { rating: on ? "up" : null })),
    dislike: (button, message) => toggle(button, (on) => this.#api.rate(message, { rating: on ? "down" : null })),
    solved: (button, message) => toggle(button, (solved) => this.#api.rate(message, { solved })),
    comment: (_, message) => this.#options.comment.write(message),
    pin: (button, message) => toggle(button, (on) => this.#api.pin(message, on)),
    select: (button) => this.#api.select(button.dataset.to),
    again: (_, message) => this.#again(message),
    edit: (button) => this.#options.editor.open(button.closest("[data-message]")),
    versions: (_, message) => this.#options.versions.show(message),
    delete: async (_, message) => (await this.#options.deleting.ask()) && (await this.#api.delete(message)),
  };

  async #clicked(event) {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const { act, to } = button.dataset;
    const { message } = button.closest("[data-message]").dataset;
    try {
      await this.#acts[act](button, message);
    } catch (error) {
      this.#options.onNote(excuse(error));
    }
    if (!LATER.has(act)) this.#options.onChanged(to || message);
  }

  async #copy(button, message) {
    const { text } = await this.#api.get(message);
    await navigator.clipboard.writeText(text);
    this.#options.onNote(say("copied"));
    if (!button.closest(".mine")) await this.#api.rate(message, { copied: true });
  }

  async #again(message) {
    await this.#api.regenerate(message);
    this.#options.onNote(say("asked_again"));
  }
}

/** What to tell people when something was not done. */
export function excuse(error) {
  if (error instanceof Refused) return say("refused", { reason: reason(error.code) });
  return say("act_unreachable");
}

/** Makes every row of buttons one stop of the Tab key, and takes away what this browser cannot do. */
export function dressActs(root) {
  dressToggles(root);
  for (const row of root.querySelectorAll(".acts")) {
    if (!navigator.clipboard) row.querySelector("[data-act=copy]")?.remove(); // only on https and on this machine
    for (const [at, button] of enabled(row).entries()) button.tabIndex = at === 0 ? 0 : -1;
  }
}

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

// Arrow keys move within a row, as they do in toolbars.
function moveWithin(event) {
  const row = event.target.closest(".acts");
  if (!row || !(event.key in STEPS)) return;
  const buttons = enabled(row);
  const next = (buttons.indexOf(event.target) + STEPS[event.key] + buttons.length) % buttons.length;
  for (const [at, button] of buttons.entries()) button.tabIndex = at === next ? 0 : -1;
  buttons[next].focus();
  event.preventDefault();
}

function enabled(row) {
  return [...row.querySelectorAll("button:not(:disabled)")];
}