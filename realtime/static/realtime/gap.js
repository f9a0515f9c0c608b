import { Timer } from "./clock.js";

const PAGE = 200;
const ANSWER_MS = 10_000;
const GRACE_MS = 1000;
const PAUSE_MS = 1000;
const MISSES = 3;

/**
 * Fetches what is missing in front of a cursor (PROTOCOL 4 "Resume"): one `fetch` outstanding, page by page. After
 * three answers in a row that brought nothing it gives up and calls `onStuck` (join again, so that the server decides).
 */
export class GapFiller {
  #cursor;
  #conversation;
  #requests;
  #onStuck;
  #ref = null;
  #askedAfter = null;
  #misses = 0;
  #seqAtGrace = null;
  #answerTimer;
  #graceTimer;
  #pauseTimer;

  /**
   * @param {object} options
   * @param {import("./cursor.js").Cursor} options.cursor
   * @param {import("./requests.js").Requests} options.requests
   * @param {() => void} options.onStuck
   */
  constructor({ cursor, conversation, requests, onStuck, clock }) {
    this.#cursor = cursor;
    this.#conversation = conversation;
    this.#requests = requests;
    this.#onStuck = onStuck;
    this.#answerTimer = new Timer(clock, () => this.#missed());
    this.#graceTimer = new Timer(clock, () => this.#afterGrace());
    this.#pauseTimer = new Timer(clock, () => this.check());
  }

  get filling() {
    return this.#ref !== null || this.#pauseTimer.armed;
  }

  /** Is this the answer that is waited for? Any other page may be of an older numbering. */
  expects(ref) {
    return this.#ref !== null && ref === this.#ref;
  }

  /** Call after every change of the cursor. */
  check() {
    if (!this.#cursor.behind) return this.#rest();
    if (this.filling) return;
    if (this.#cursor.hasHole) this.#fetch();
    else this.#startGrace();
  }

  /** The page that was expected came, and its events have been applied. */
  paged() {
    const moved = this.#cursor.seq > this.#askedAfter;
    this.#answered();
    if (!this.#cursor.behind) return this.#rest();
    if (!moved) return this.#missed();
    this.#misses = 0;
    this.#fetch();
  }

  /** The connection is gone, or the cursor was set anew. */
  reset() {
    this.#answered();
    this.#rest();
  }

  #rest() {
    this.#graceTimer.clear();
    this.#pauseTimer.clear();
    this.#misses = 0;
  }

  // A head beyond the cursor is no hole yet: the events may be on their way. It is one when nothing moves for a second.
  #startGrace() {
    if (this.#graceTimer.armed) return;
    this.#seqAtGrace = this.#cursor.seq;
    this.#graceTimer.set(GRACE_MS);
  }

  #afterGrace() {
    if (!this.#cursor.behind || this.filling) return;
    if (this.#cursor.seq === this.#seqAtGrace) this.#fetch();
    else this.#startGrace();
  }

  #fetch() {
    this.#graceTimer.clear();
    this.#askedAfter = this.#cursor.seq;
    const frame = { type: "fetch", conversation: this.#conversation, after_seq: this.#askedAfter, limit: PAGE };
    this.#ref = this.#requests.ask(frame, (answer) => this.#refused(answer));
    if (this.#ref !== null) this.#answerTimer.set(ANSWER_MS);
  }

  #refused(error) {
    if (error.type !== "error") return;
    this.#answered();
    if (error.retryable) this.#pauseTimer.set(error.retry_after_ms ?? PAUSE_MS);
    else this.#stuck();
  }

  #missed() {
    this.#answered();
    this.#misses += 1;
    if (this.#misses >= MISSES) this.#stuck();
    else this.#pauseTimer.set(PAUSE_MS * this.#misses);
  }

  #stuck() {
    this.reset();
    this.#onStuck();
  }

  #answered() {
    this.#requests.cancel(this.#ref);
    this.#ref = null;
    this.#answerTimer.clear();
  }
}
