import { Subscription } from "./subscription.js";

const MAX_RESUMED = 50; // more than these are joined after `welcome`: a frame has 64 KiB at most

/** All conversations that this client follows, and what concerns them together. */
export class Subscriptions {
  #byId = new Map();
  #link;

  /** @param {object} link  what the client lends each of them: `requests, tell, store, clock, maxBytes` */
  constructor(link) {
    this.#link = { ...link, forget: (id) => this.#byId.delete(id) };
  }

  get(id) {
    return this.#byId.get(id);
  }

  add(id, position) {
    const subscription = new Subscription(id, position, this.#link);
    this.#byId.set(id, subscription);
    return subscription;
  }

  /** They may go while one walks through them. @returns {Subscription[]} */
  get all() {
    return [...this.#byId.values()];
  }

  /** `hello.resume` */
  resumeEntries() {
    return this.all.map((one) => one.resumeEntry()).filter(Boolean).slice(0, MAX_RESUMED);
  }

  disconnected() {
    for (const one of this.all) one.disconnected();
  }

  forgetPositions() {
    for (const one of this.all) one.forgetPosition();
  }

  sawHeads(heads) {
    for (const [id, head] of Object.entries(heads)) this.get(id)?.sawHead(head);
  }

  /** Of the messages that are on their way, 0 for none. */
  get largestInFlight() {
    return this.#largest?.bytesInFlight ?? 0;
  }

  /** 1009: sending the largest again would only end the next connection too. */
  failLargest() {
    this.#largest?.fail({ code: "too_large", message: "The message is too large." });
  }

  get #largest() {
    const outboxes = this.all.map(({ outbox }) => outbox).filter(({ bytesInFlight }) => bytesInFlight > 0);
    return outboxes.sort((a, b) => b.bytesInFlight - a.bytesInFlight)[0];
  }

  /** Asks something that costs little. @returns {boolean} whether an answer can be expected */
  askForSignOfLife() {
    const one = this.all.find(({ joined }) => joined);
    if (!one) return false;
    const frame = { type: "fetch", conversation: one.id, after_seq: one.cursor.head, limit: 1 };
    return this.#link.requests.ask(frame) !== null;
  }
}
