import { Timer } from "./clock.js";
import { uuid7 } from "./ids.js";

const ANSWER_MS = 15_000;
const LONGEST_PAUSE_MS = 30_000;
const KEPT_CODES = new Set(["token_expired", "unauthenticated"]); // about the connection, not about the message

/** A message that the server will not take. `retryable` is false; `body` gives the text back. */
export class SendError extends Error {
  constructor({ code, message }, item) {
    super(message ?? code);
    this.name = "SendError";
    Object.assign(this, { code, cmid: item.cmid, body: item.body, retryable: false });
  }
}

/**
 * The unsent messages of one conversation, sent one after the other so that they keep their order. Each keeps its
 * `cmid` until it is acknowledged or refused for good, over reconnects and reloads (PROTOCOL 2.5).
 */
export class Outbox {
  #conversation;
  #requests;
  #store;
  #clock;
  #calls;
  #maxBytes;
  #items = [];
  #ref = null; // of the first item, while it is on its way
  #open = false;
  #refusals = 0;
  #answerTimer;
  #pauseTimer;

  /**
   * @param {object} options
   * @param {number} options.maxBytes  of one message, with what is around it
   * @param {(ack: object, item: object) => void} options.onSent
   * @param {(error: SendError) => void} options.onFailed
   */
  constructor({ conversation, requests, store, clock, maxBytes, onSent, onFailed }) {
    this.#maxBytes = maxBytes;
    this.#conversation = conversation;
    this.#requests = requests;
    this.#store = store;
    this.#clock = clock;
    this.#calls = { onSent, onFailed };
    this.#answerTimer = new Timer(clock, () => this.#again());
    this.#pauseTimer = new Timer(clock, () => this.#flush());
  }

  /** What is not acknowledged yet, oldest first. */
  get unsent() {
    return this.#items.map(({ cmid, at, body }) => ({ cmid, at, ...body }));
  }

  /** Bytes of the message that is on its way, 0 for none. */
  get bytesInFlight() {
    return this.#ref === null ? 0 : bytesOf(this.#frame(this.#items[0]));
  }

  add({ cmid = uuid7(this.#clock.now()), ...body }) {
    const item = newItem({ cmid, at: this.#clock.now(), body });
    if (bytesOf(this.#frame(item)) > this.#maxBytes) {
      this.#refuse(item, { code: "too_large", message: "The message is too large." });
      return item;
    }
    this.#items.push(item);
    this.#store.put(this.#conversation, stored(item));
    this.#flush();
    return item;
  }

  /** Before anything is sent: takes in what an earlier page left in the storage, and says whose what is here is. */
  restore() {
    const known = new Set(this.#items.map((item) => item.cmid));
    const earlier = this.#store.list(this.#conversation).filter((item) => !known.has(item.cmid));
    this.#items.unshift(...earlier.map(newItem));
    for (const item of this.#items) this.#store.put(this.#conversation, stored(item));
  }

  /** The conversation is joined: send. */
  open() {
    this.#open = true;
    this.#flush();
  }

  disconnected() {
    this.#open = false;
    this.#notOnItsWay();
    this.#pauseTimer.clear();
  }

  /** `sent` is known by its cmid: it may answer an earlier try. */
  sent(ack) {
    const item = this.#items.find(({ cmid }) => cmid === ack.cmid);
    if (!item) return;
    this.#remove(item);
    item.resolve(ack);
    this.#calls.onSent(ack, item);
    this.#flush();
  }

  /** These can never be sent; the first is the one on its way. */
  fail(error, items = this.#items.slice(0, 1)) {
    for (const item of [...items]) {
      this.#remove(item);
      this.#refuse(item, error);
    }
    this.#flush();
  }

  failAll(error) {
    this.fail(error, this.#items);
  }

  /** The page goes on without this conversation; what is stored goes out when it is joined again. */
  abandon() {
    this.disconnected();
    for (const item of this.#items.splice(0)) item.reject(new SendError({ code: "left" }, item));
  }

  #flush() {
    const busy = this.#ref !== null || this.#pauseTimer.armed;
    if (!this.#open || busy || this.#items.length === 0) return;
    const frame = this.#frame(this.#items[0]);
    this.#ref = this.#requests.ask(frame, (answer) => this.#answered(answer));
    if (this.#ref !== null) this.#answerTimer.set(ANSWER_MS);
  }

  #answered(answer) {
    if (answer.type !== "error") return;
    const item = this.#items[0];
    this.#notOnItsWay();
    if (!mayRetry(answer, item)) return this.fail(answer);
    const pause = Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** this.#refusals);
    this.#refusals += 1;
    this.#pauseTimer.set(answer.retry_after_ms ?? pause);
  }

  #again() {
    this.#notOnItsWay();
    this.#flush();
  }

  #notOnItsWay() {
    this.#requests.cancel(this.#ref);
    this.#ref = null;
    this.#answerTimer.clear();
  }

  #remove(item) {
    if (item === this.#items[0]) {
      this.#notOnItsWay();
      this.#pauseTimer.clear();
      this.#refusals = 0;
    }
    this.#items = this.#items.filter((other) => other !== item);
    this.#store.remove(this.#conversation, item.cmid);
  }

  #refuse(item, error) {
    const failure = new SendError(error, item);
    item.reject(failure);
    this.#calls.onFailed(failure);
  }

  #frame({ cmid, body }) {
    return { type: "send", conversation: this.#conversation, cmid, ...body };
  }
}

// A conversation that is busy stays so for as long as an answer takes; who said "reject" wants to hear of it.
function mayRetry({ code, retryable }, { body }) {
  if (code === "conversation_busy" && body.on_busy === "reject") return false;
  return retryable || KEPT_CODES.has(code);
}

function newItem({ cmid, at, body }) {
  const item = { cmid, at, body };
  item.acknowledged = new Promise((resolve, reject) => Object.assign(item, { resolve, reject }));
  item.acknowledged.catch(() => {}); // who listens for `failed` need not await the promise
  return item;
}

function stored({ cmid, at, body }) {
  return { cmid, at, body };
}

/** Bytes of a frame on the wire. */
export function bytesOf(frame) {
  return new TextEncoder().encode(JSON.stringify({ ...frame, ref: "r0000000000" })).length;
}
