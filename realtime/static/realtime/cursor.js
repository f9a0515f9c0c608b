const MAX_AHEAD = 1000;

/**
 * Where this client stands in one log: everything up to `seq` of `epoch` has been applied (PROTOCOL 1, "cursor").
 * Lets events through once each and in order, whatever order they come in.
 */
export class Cursor {
  epoch;
  /** null = not known yet: the server begins with the newest page, and its first event says where that is. */
  seq;
  /** The largest seq that is known to exist. */
  head = 0;
  #ahead = new Map();

  constructor(epoch = null, seq = null) {
    this.set(epoch, seq);
  }

  /** Begins anew at a position: another epoch, a snapshot. */
  set(epoch, seq) {
    this.epoch = epoch;
    this.seq = seq;
    this.head = seq ?? 0;
    this.#ahead.clear();
  }

  get behind() {
    return this.seq !== null && this.head > this.seq;
  }

  /** An event beyond the next one is here, so the ones between are missing. */
  get hasHole() {
    return this.#ahead.size > 0;
  }

  sawHead(head) {
    if (head > this.head) this.head = head;
  }

  /** Takes one event in and yields those that are in order now; the cursor stands at each while it is yielded. */
  *accept(event) {
    this.seq ??= event.seq - 1;
    this.sawHead(event.seq);
    if (event.seq > this.seq) this.#keep(event);
    let next;
    while ((next = this.#ahead.get(this.seq + 1))) {
      this.#ahead.delete(next.seq);
      this.seq = next.seq;
      yield next;
    }
  }

  /** What was kept may belong to an older numbering after a reconnect; the server sends it again. */
  forgetAhead() {
    this.#ahead.clear();
  }

  // Over the bound, what is dropped stays known as `head` and is fetched.
  #keep(event) {
    const isNext = event.seq === this.seq + 1;
    if (isNext || this.#ahead.size < MAX_AHEAD) this.#ahead.set(event.seq, event);
  }
}
