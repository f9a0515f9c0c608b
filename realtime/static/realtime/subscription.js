import { Answers } from "./answers.js";
import { Timer } from "./clock.js";
import { RESYNC_REASONS } from "./codes.js";
import { Conversation } from "./conversation.js";
import { Cursor } from "./cursor.js";
import { GapFiller } from "./gap.js";
import { Outbox } from "./outbox.js";
import { ReadMarker, Typing } from "./signals.js";
import { Stops } from "./stops.js";

const JOIN_MS = 10_000;
const RETRY_MS = 2000;
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
  #since;
  #joinTimer;
  #headAtJoin = 0;
  #forgetful = false; // 4005: the next join must not say what is held
  #awaitsResync = false; // what is held is void; nothing is applied until the snapshot is here
  #snapshotDidNotCome = false;
  #later = []; // deltas of runs whose start may be in the hole that is being filled

  /**
   * @param {{epoch?: string, seq?: number, since?: string, runs?: Object<string, string>}} position
   * @param {object} link  what the client lends: `requests, tell, clock, store, forget`
   */
  constructor(id, { epoch = null, seq = null, since, runs = {} }, link) {
    const parts = { conversation: id, requests: link.requests, clock: link.clock };
    this.id = id;
    this.#link = link;
    this.#since = since;
    this.cursor = new Cursor(epoch, seq);
    this.#gap = new GapFiller({ ...parts, cursor: this.cursor, onStuck: () => this.#join() });
    this.answers = new Answers(parts);
    this.stops = new Stops(parts);
    this.outbox = new Outbox({
      ...parts,
      store: link.store,
      onSent: (ack) => this.room.emit("sent", ack),
      onFailed: (error) => this.room.emit("failed", error),
    });
    this.typing = new Typing((on) => this.#tell({ type: "typing", on }), link.clock);
    this.reading = new ReadMarker((seq) => this.#tell({ type: "read", seq }), link.clock);
    this.#joinTimer = new Timer(link.clock, () => this.#joinAgain());
    this.room = new Conversation(this);
    for (const [run, text] of Object.entries(runs)) this.answers.begin(run, text);
  }

  // ---- the connection comes and goes

  /** This conversation's entry of `hello.resume`, or null where it has to be joined anew. */
  resumeEntry() {
    const { epoch, seq } = this.cursor;
    if (seq === null || this.#forgetful) return null;
    return { conversation: this.id, ...(epoch && { epoch }), seq, runs: this.answers.offsets() };
  }

  /** @param {{ok: boolean, reason?: string}} [resumed]  our entry of `welcome.resumed`, where there was one */
  connected(resumed) {
    if (this.left) return;
    const joinedIsComing = resumed && (resumed.ok || RESYNC_REASONS.has(resumed.reason));
    if (joinedIsComing) this.#joinTimer.set(JOIN_MS);
    else this.#join();
  }

  disconnected() {
    this.joined = false;
    this.#joinTimer.clear();
    this.#later = [];
    this.cursor.forgetAhead();
    for (const part of [this.answers, this.outbox, this.stops, this.typing, this.reading]) part.disconnected();
    this.#gap.reset();
  }

  /** 4005, the server cannot say what we hold: join without resume data. */
  forgetPosition() {
    this.#forgetful = true;
  }

  leave() {
    if (this.left) return;
    this.#link.requests.ask({ type: "leave", conversation: this.id });
    this.outbox.abandon();
    this.#finish("asked");
  }

  #join() {
    const { epoch, seq } = this.cursor;
    const position = seq === null
      ? { ...(this.#since && { since: this.#since }) }
      : { ...(epoch && { epoch }), seq };
    const frame = { type: "join", conversation: this.id, ...(!this.#forgetful && position) };
    const ref = this.#link.requests.ask(frame, (answer) => this.#joinAnswered(answer));
    if (ref !== null) this.#joinTimer.set(JOIN_MS);
  }

  #joinAgain() {
    if (this.#awaitsResync) this.#forgetful = this.#snapshotDidNotCome = true;
    this.#join();
  }

  #joinAnswered(answer) {
    if (answer.type !== "error") return;
    if (answer.code === "resync_required") this.#forgetful = true;
    if (answer.retryable || answer.code === "resync_required") {
      return this.#joinTimer.set(answer.retry_after_ms ?? RETRY_MS);
    }
    this.room.emit("error", answer);
    this.#lose(answer.code);
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
  };

  #onJoined(frame) {
    this.#joinTimer.clear();
    this.joined = true;
    this.#headAtJoin = frame.head;
    this.#comparePosition(frame);
    this.#forgetful = false;
    this.room.admitted(frame);
    this.sawHead(frame.head);
    this.outbox.open();
    this.stops.connected();
    this.reading.connected();
  }

  // Is what we hold a part of the numbering that the server speaks of?
  #comparePosition({ epoch, head, reason }) {
    const { cursor } = this;
    const other = cursor.seq > 0 && cursor.epoch !== epoch;
    const isVoid = RESYNC_REASONS.has(reason) || other || head < cursor.seq;
    if (!isVoid) cursor.epoch = epoch;
    else if (!this.#forgetful) this.#awaitResync();
    else if (this.#snapshotDidNotCome) this.#beginAnew(epoch, other ? "epoch" : "ahead");
    else this.#askForSnapshot();
  }

  #awaitResync() {
    this.#awaitsResync = true;
    this.#joinTimer.set(JOIN_MS);
  }

  // Now the server knows us again: a cursor that is void is answered with a snapshot, which is more than a newest page.
  #askForSnapshot() {
    this.#awaitResync();
    this.#forgetful = false;
    this.#join();
  }

  #beginAnew(epoch, reason) {
    this.#setPosition(epoch, null);
    this.room.emit("resync", { conversation: this.id, epoch, reason, seq: null, snapshot: null });
  }

  #onResync(frame) {
    const seq = frame.snapshot?.seq ?? frame.head;
    this.#joinTimer.clear();
    this.#setPosition(frame.epoch, seq);
    this.room.emit("resync", { ...frame, seq });
    this.sawHead(frame.head);
  }

  #setPosition(epoch, seq) {
    this.#awaitsResync = this.#snapshotDidNotCome = false;
    this.#later = [];
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
    return this.joined && !this.#awaitsResync;
  }

  get #holeOpen() {
    return this.cursor.hasHole || this.#gap.filling;
  }

  // ---- the end

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
