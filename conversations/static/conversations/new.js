import { uuid7 } from "../realtime/ids.js";
import { callApi, clone, reason, say } from "./page.js";

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

/**
 * The first message of a conversation, sent until the server has answered, with the same Idempotency-Key, also over a
 * reload. One at a time: the page moves to the conversation as soon as there is one.
 */
export class NewConversation {
  #options;
  #article = null;
  #timer = null;
  #tries = 0;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root  where the message is shown meanwhile
   * @param {Storage} options.storage
   * @param {string} options.key  under which it is kept; names the user
   * @param {(id: string) => void} options.onBegun
   * @param {(text: string) => void} options.onEdit  the server refused it, or somebody wants it back
   */
  constructor(options) {
    this.#options = options;
    window.addEventListener("online", () => this.#timer && this.#try());
  }

  /** @param {{message: string, assistant: string}} body */
  send(body) {
    const waiting = this.#waiting;
    if (waiting) return this.#options.onEdit(body.message);
    this.#options.storage.setItem(this.#options.key, JSON.stringify({ id: uuid7(), body }));
    this.resume();
  }

  /** Goes on with what an earlier page has left. */
  resume() {
    if (!this.#waiting) return;
    this.#show(this.#waiting.body.message);
    this.#tries = 0;
    this.#try();
  }

  get #waiting() {
    return JSON.parse(this.#options.storage.getItem(this.#options.key) ?? "null");
  }

  async #try() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const { id, body } = this.#waiting;
    this.#note(say("sending"));
    const response = await callApi("POST", this.#options.api, body, { "Idempotency-Key": id }).catch(() => null);
    if (response?.ok) return this.#done((await response.json()).id);
    if (response && response.status < 500 && response.status !== 429) return this.#refused(await codeOf(response));
    this.#later(response);
  }

  #done(id) {
    this.#options.storage.removeItem(this.#options.key);
    window.addEventListener("pagehide", () => this.#article.remove()); // for who comes back here
    this.#options.onBegun(id);
  }

  #refused(code) {
    if (code === "unauthenticated") return location.reload(); // to the log-in, and on from there
    this.#note(say("refused", { reason: reason(code) }));
    this.#offer();
  }

  #later(response) {
    this.#note(say("unreachable"));
    this.#offer();
    const asked = Number(response?.headers.get("Retry-After") ?? 0) * 1000;
    const wait = Math.max(asked, Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#tries));
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#try(), wait);
  }

  #show(text) {
    this.#article = clone("unsent");
    this.#article.querySelector("[data-text]").textContent = text;
    this.#article.querySelector("[data-edit]").addEventListener("click", () => this.#takeBack(true));
    this.#article.querySelector("[data-discard]").addEventListener("click", () => this.#takeBack(false));
    this.#options.root.replaceChildren(this.#article);
  }

  #note(text) {
    this.#article.querySelector("[data-note]").textContent = text;
  }

  #offer() {
    this.#article.querySelector(".actions").hidden = false;
  }

  #takeBack(edit) {
    clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#waiting?.body.message;
    this.#options.storage.removeItem(this.#options.key);
    this.#article.remove();
    if (edit && text) this.#options.onEdit(text);
  }
}

async function codeOf(response) {
  return (await response.json().catch(() => ({}))).code ?? "other";
}
