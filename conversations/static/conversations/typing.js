import { say } from "./page.js";

const FORGET_MS = 7000;

/** Who else is typing. Who says nothing more is forgotten. */
export class TypingLine {
  #line;
  #me;
  #timers = new Map(); // user → timer
  #names = new Map();

  /** @param {HTMLElement} line  @param {string} me  id of the user whose page this is */
  constructor(line, me) {
    this.#line = line;
    this.#me = me;
  }

  typing({ user, on }) {
    if (user.id === this.#me) return;
    this.stopped(user.id);
    if (!on) return;
    this.#names.set(user.id, user.name);
    this.#timers.set(user.id, setTimeout(() => this.stopped(user.id), FORGET_MS));
    this.#show();
  }

  /** They have sent it, or gone. */
  stopped(user) {
    clearTimeout(this.#timers.get(user));
    this.#timers.delete(user);
    this.#names.delete(user);
    this.#show();
  }

  #show() {
    const [name] = this.#names.values();
    this.#line.hidden = this.#names.size === 0;
    if (this.#names.size === 1) this.#line.textContent = say("typing_one", { name });
    else if (this.#names.size > 1) this.#line.textContent = say("typing_many");
  }
}
