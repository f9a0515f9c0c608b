import { say } from "./page.js";

/** The line that says that there is no connection, when the next try is, and what can be done about it. */
export class ConnectionLine {
  #line;
  #text;
  #countdown;
  #again;
  #close;
  #link;
  #timer = null;
  #grace = null;

  /** @param {HTMLElement} line  @param {{onAgain: () => void}} calls */
  constructor(line, { onAgain }) {
    this.#line = line;
    this.#text = line.querySelector("p");
    this.#countdown = line.querySelector(".countdown");
    [this.#again, this.#close] = line.querySelectorAll("button");
    this.#link = line.querySelector("a");
    this.#again.addEventListener("click", onAgain);
    this.#close.addEventListener("click", () => (this.#line.hidden = true));
  }

  /** @param {import("../realtime/reconnector.js").ConnectionState} connection */
  show(connection) {
    this.#stopTimers();
    const { state, transport, retryAt, trying, reason } = connection;
    document.body.dataset.connection = state;
    document.body.dataset.transport = transport ?? "";
    if (state === "online") return void (this.#line.hidden = true);
    if (state === "closed") return this.#closed(reason);
    if (state === "connecting") return this.#connecting();
    this.#say(say(state === "offline" ? "offline" : "waiting"));
    this.#again.hidden = trying;
    if (retryAt !== null) this.#count(retryAt);
    else this.#countdown.textContent = say("retrying");
  }

  /** Something to know about the connection; it stays until it is closed, or there is something else to say. */
  notice(text) {
    this.#say(text);
    this.#again.hidden = true;
    this.#close.hidden = false;
  }

  /** This page is done with its conversation. */
  ended(text) {
    this.#stopTimers();
    this.#say(text);
    this.#offer(say("reload"), "");
  }

  // A connection that comes at once is not worth a line that flashes up.
  #connecting() {
    if (!this.#line.hidden) this.#countdown.textContent = say("retrying");
    this.#again.hidden = true;
    if (this.#line.hidden) this.#grace = setTimeout(() => this.#say(say("connecting")), 1000);
  }

  #closed(reason) {
    if (reason === "asked") return;
    if (reason === "unauthenticated") {
      this.#say(say("logged_out"));
      return this.#offer(say("log_in"), location.pathname);
    }
    if (reason === "session_expired") return this.ended(this.#text.textContent); // what the server said of it
    this.ended(say(reason === "user_changed" ? "user_changed" : "ended"));
  }

  // The page itself redirects to the log-in, where that is needed.
  #offer(label, address) {
    this.#again.hidden = true;
    this.#link.hidden = false;
    this.#link.textContent = label;
    this.#link.href = address || location.href;
  }

  #say(text) {
    this.#line.hidden = false;
    this.#link.hidden = true;
    this.#close.hidden = true;
    this.#countdown.textContent = "";
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  #count(at) {
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((at - Date.now()) / 1000));
      this.#countdown.textContent = say("retry_in", { n: seconds });
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }

  #stopTimers() {
    clearInterval(this.#timer);
    clearTimeout(this.#grace);
  }
}
