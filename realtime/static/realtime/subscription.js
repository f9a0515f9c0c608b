import { Answers } from "./answers.js";
import { Conversation } from "./conversation.js";
import { Cursor } from "./cursor.js";
import { GapFiller } from "./gap.js";
import { Joining } from "./joining.js";
import { Outbox } from "./outbox.js";
import { ReadMarker, Typing } from "./signals.js";
import { Stops } from "./stops.js";

const MAX_LATER = 200;

/**
 * The working side of one `Conversation`: it takes the frames of this conversation in, keeps the cursor, asks for what
 * is missing, and tells the page through `room` (PROTOCOL 4 "Resume").
 */
export class Subscription {
  room;
  cursor;
  answers;
  outbox;
  stops;
  typing;
  reading;
  joined = false;
  left = false;
  #link;
  #gap;
  #joining;
  #headAtJoin = 0;
  #later = []; // deltas of runs whose start may be in the hole that is being filled

  /**
   * @param {{epoch?: string, seq?: number, since?: string, runs?: Object<string, string>}} position
   * @param {object} link  what the client lends: `requests, tell, clock, store, maxBytes, forget`
   */
  constructor(id, { epoch = null, seq = null, since, runs = {} }, link) {
    const parts = { conversation: id, requests: link.requests, clock: link.clock };
    this.id = id;
    this.#link = link;
    this.cursor = new Cursor(epoch, seq);
    this.#joining = new Joining({ ...parts, cursor: this.cursor, since, onRefused: (error) => this.#refused(error) });
    this.#gap = new GapFiller({ ...parts, cursor: this.cursor, onStuck: () => this.#joining.join() });
    this.answers = new Answers(parts);
    this.stops = new Stops(parts);
    this.outbox = new Outbox({
      ...parts,
      store: link.store,
      maxBytes: link.maxBytes,
      onSent: (ack) => this.room.emit("sent", ack),
      onFailed: (error) => this.room.emit("failed", error),
    });
    this.typing = new Typing((on) => this.#tell({ type: "typing", on }), link.clock);
    this.reading = new ReadMarker((seq) => this.#tell({ type: "read", seq }), link.clock);
    this.room = new Conversation(this);
    for (const [run, text] of Object.entries(runs)) this.answers.begin(run, text);
  }

  // ---- the connection comes and goes

  /** This conversation's entry of `hello.resume`, or null where it has to be joined anew. */
  resumeEntry() {
    if (!this.#joining.resumable) return null;
    const { epoch, seq } = this.cursor;
    return { conversation: this.id, ...(epoch && { epoch }), seq, runs: this.answers.offsets() };
  }

  connected(resumed) {
    if (!this.left) this.#joining.connected(resumed);
  }

  disconnected() {
    this.joined = false;
    this.#later = [];
    this.cursor.forgetAhead();
    const parts = [this.#joining, this.answers, this.outbox, this.stops, this.typing, this.reading];
    for (const part of parts) part.disconnected();
    this.#gap.reset();
  }

  forgetPosition() {
    this.#joining.forgetPosition();
  }

  leave() {
    if (this.left) return;
    this.#link.requests.ask({ type: "leave", conversation: this.id });
    this.outbox.abandon();
    this.#finish("asked");
  }

  // ---- frames

  receive(frame) {
    if (this.left) return;
    if ("seq" in frame && "data" in frame) this.#events([frame]);
    else this.#handlers[frame.type]?.(frame);
  }

  sawHead(head) {
    if (!this.#live) return;
    if (this.cursor.seq === null && head > this.#headAtJoin) this.cursor.set(this.cursor.epoch, this.#headAtJoin);
    this.cursor.sawHead(head);
    this.#gap.check();
  }

  #handlers = {
    joined: (frame) => this.#onJoined(frame),
    catchup: (frame) => this.#events(frame.events, frame.head),
    page: (frame) => this.#onPage(frame),
    resync: (frame) => this.#onResync(frame),
    delta: (frame) => this.#onDelta(frame),
    sent: (frame) => this.outbox.sent(frame),
    left: (frame) => frame.reason !== "asked" && this.#lose(frame.reason), // `leave` did not wait for it
    "user:join": (frame) => this.room.present(frame),
    "user:leave": (frame) => this.room.present(frame),
    "user:typing": (frame) => this.room.emit("typing", frame),
    "user:read": (frame) => this.room.emit("read", frame),
    "state:set": (frame) => this.room.emit("state", frame),
    "plugin:degraded": (frame) => this.room.emit("degraded", frame),
    "assistants:changed": (frame) => this.room.emit("assistants", frame),
  };

  #onJoined(frame) {
    this.joined = true;
    this.#headAtJoin = frame.head;
    if (!this.#joining.joined(frame)) this.#beginAnew(frame.epoch);
    this.room.admitted(frame);
    this.sawHead(frame.head);
    this.outbox.open();
    this.stops.connected();
    this.reading.connected();
  }

  #beginAnew(epoch) {
    const reason = epoch === this.cursor.epoch ? "ahead" : "epoch";
    this.#setPosition(epoch, null);
    this.room.emit("resync", { conversation: this.id, epoch, reason, seq: null, snapshot: null });
  }

  #onResync(frame) {
    const seq = frame.snapshot?.seq ?? frame.head;
    this.#setPosition(frame.epoch, seq);
    this.room.emit("resync", { ...frame, seq });
    this.sawHead(frame.head);
  }

  #setPosition(epoch, seq) {
    this.#later = [];
    this.#joining.settled();
    this.#gap.reset();
    this.answers.reset();
    this.reading.reset();
    this.cursor.set(epoch, seq);
  }

  #onPage(frame) {
    if (!this.#gap.expects(frame.ref)) return;
    this.#apply(frame.events, frame.head);
    this.#gap.paged();
    this.#takeLater();
  }

  #events(events, head = 0) {
    if (!this.#live) return;
    this.#apply(events, head);
    this.#gap.check();
    this.#takeLater();
  }

  #apply(events, head) {
    for (const event of events) {
      for (const next of this.cursor.accept(event)) {
        this.#applyOne(next);
        if (this.left) return;
      }
    }
    if (this.cursor.seq !== null) this.cursor.sawHead(head);
  }

  #applyOne(event) {
    const run = event.data?.run;
    if (event.type === "run:start") this.answers.begin(run);
    if (event.type === "run:end") {
      this.answers.end(run);
      this.stops.ended(run);
    }
    this.room.emit("event", event);
  }

  #onDelta(frame) {
    if (!this.#live) return;
    const startMayBeMissing = this.#holeOpen && !this.answers.knows(frame.run);
    if (!startMayBeMissing) this.#takeDelta(frame);
    else if (this.#later.length < MAX_LATER) this.#later.push(frame);
  }

  #takeDelta(frame) {
    const piece = this.answers.take(frame);
    if (piece) this.room.emit("delta", { run: frame.run, message: frame.message, ...piece });
  }

  #takeLater() {
    if (this.#holeOpen) return;
    for (const frame of this.#later.splice(0)) this.#takeDelta(frame);
  }

  // Before `joined` comes only what an earlier stay left on the wire; before an awaited `resync`, another numbering.
  get #live() {
    return this.joined && !this.#joining.awaitsResync;
  }

  get #holeOpen() {
    return this.cursor.hasHole || this.#gap.filling;
  }

  // ---- the end

  #refused(error) {
    this.room.emit("error", error);
    this.#lose(error.code);
  }

  /** The server took this conversation away: what is unsent will never be taken. */
  #lose(reason) {
    if (this.left) return;
    const code = reason === "closed" ? "conversation_closed" : "forbidden";
    this.outbox.failAll({ code, message: "You are no longer in this conversation." });
    this.#finish(reason);
  }

  #finish(reason) {
    this.disconnected();
    this.left = true;
    this.#link.forget(this.id);
    this.room.emit("left", { conversation: this.id, reason });
  }

  #tell(frame) {
    return this.joined && this.#link.tell({ ...frame, conversation: this.id });
  }
}
