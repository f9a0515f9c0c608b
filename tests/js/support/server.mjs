import { settled } from "./clock.mjs";
import { ROOM, event, joined, welcome } from "./stage.mjs";

const PAGE = 200;
const BARRIERS = new Set(["welcome", "joined", "resync"]);

/**
 * A server with one conversation, written from PROTOCOL 4 and as short as it can be. Between it and the client lies a
 * wire that loses, doubles and reorders frames as `chaos` says (a real one does not: this stands for every fault
 * of hubs, hints and buffers behind it). `welcome`, `joined` and `resync` are never overtaken.
 */
export class SimulatedServer {
  epoch = 1;
  log = [];
  runs = new Map(); // run → {text, stored (code points), ended}
  acknowledged = new Set(); // cmids that were answered with `sent`
  #clock;
  #random;
  #chaos;
  #session = null; // {socket, joined, messages, acked}
  #outgoing = [];

  constructor({ clock, random, chaos }) {
    this.#clock = clock;
    this.#random = random;
    this.#chaos = chaos;
  }

  get head() {
    return this.log.length;
  }

  heal() {
    this.#chaos = { lose: 0, double: 0, reorder: 0 };
  }

  // ---- connections

  accept(socket) {
    this.#session = { socket, joined: false };
    this.#outgoing = [];
    socket.onsent = (frame) => this.#hears(frame);
    socket.opens();
  }

  cut(code) {
    const socket = this.#session?.socket;
    this.#session = null;
    if (socket && !socket.closed) socket.drops(code);
  }

  get connected() {
    return this.#session !== null && !this.#session.socket.closed;
  }

  heartbeat() {
    this.#say({ type: "heartbeat", n: 1, heads: { [ROOM]: this.head } });
  }

  // ---- what happens in the conversation

  append(fields) {
    const stored = event(this.head + 1, fields);
    this.log.push(stored);
    if (this.#session?.joined) this.#say(stored);
    return stored;
  }

  startRun(run, text) {
    this.runs.set(run, { text: [...text], stored: 0, ended: false });
    this.append({ type: "run:start", data: { run, message: `m-${run}`, assistant: "guide", reply_to: "m1" } });
  }

  write(run, count) {
    const answer = this.runs.get(run);
    if (answer.ended) return;
    const offset = answer.stored;
    answer.stored = Math.min(answer.text.length, offset + count);
    if (this.#session?.joined) this.#say(this.#deltaFrom(run, offset));
  }

  endRun(run, status = "completed") {
    const answer = this.runs.get(run);
    answer.ended = true;
    if (status === "completed") answer.stored = answer.text.length;
    this.append({ type: "run:end", data: { run, message: `m-${run}`, status, text: this.textOf(run), usage: {} } });
  }

  textOf(run) {
    const { text, stored } = this.runs.get(run);
    return text.slice(0, stored).join("");
  }

  /** A backup is played in: the last events are gone, and the numbering is another one. */
  restoreBackup(lost) {
    this.cut(1006);
    this.epoch += 1;
    this.log.splice(Math.max(0, this.head - lost));
    for (const [run, answer] of this.runs) {
      const known = (type) => this.log.some((one) => one.type === type && one.data.run === run);
      if (!known("run:start")) this.runs.delete(run);
      else answer.ended = known("run:end");
    }
  }

  // ---- frames

  #hears(frame) {
    this.#clock.setTimeout(() => this.#answer(frame), this.#random.between(0, 20));
  }

  #answer(frame) {
    if (this.#session) this.#commands[frame.type]?.(frame);
  }

  #commands = {
    hello: ({ resume = [] }) => {
      const entry = (one) => ({ conversation: ROOM, ok: !this.#reasonAgainst(one), epoch: this.#epochId, head: this.head, reason: this.#reasonAgainst(one) });
      this.#say(welcome({ resumed: resume.map(entry) }));
      for (const one of resume) this.#join(one);
    },
    join: (frame) => this.#join(frame),
    fetch: ({ ref, after_seq, limit }) => {
      const events = this.log.slice(after_seq, after_seq + Math.min(limit, PAGE));
      this.#say({ type: "page", ref, conversation: ROOM, events, head: this.head });
    },
    attach: ({ run, offset }) => {
      if (this.runs.has(run)) this.#say(this.#deltaFrom(run, offset));
    },
    send: ({ ref, cmid, text }) => {
      if (this.#random.chance(this.#chaos.refuse ?? 0)) {
        return this.#say({ type: "error", ref, code: "unavailable", message: "later", retryable: true });
      }
      const before = this.log.find((one) => one.cmid === cmid);
      const stored = before ?? this.append({ cmid, data: { message: `m-${cmid}`, text, action: "chat" } });
      this.acknowledged.add(cmid);
      this.#say({ type: "sent", ref, conversation: ROOM, cmid, seq: stored.seq, id: stored.id, dup: Boolean(before) });
    },
  };

  get #epochId() {
    return `e${this.epoch}`;
  }

  #reasonAgainst({ epoch, seq }) {
    if (seq > 0 && epoch !== this.#epochId) return "epoch";
    if (seq > this.head) return "ahead";
    if (this.head - seq > 1000) return "too_far";
    return undefined;
  }

  #join({ ref, epoch, seq, runs = {} }) {
    const reason = seq === undefined ? undefined : this.#reasonAgainst({ epoch, seq });
    this.#session.joined = true;
    this.#say(joined({ ref, epoch: this.#epochId, head: this.head, resumed: seq !== undefined && !reason, reason }));
    if (reason) this.#say(this.#resync(reason));
    else this.#catchUp(seq ?? Math.max(0, this.head - 100));
    for (const [run, { ended }] of this.runs) if (!ended) this.#say(this.#deltaFrom(run, runs[run] ?? 0));
  }

  // The events stand in the snapshot in place of messages: what a page would show is a function of them.
  #resync(reason) {
    const snapshot = { seq: this.head, state: { events: [...this.log] } };
    return { type: "resync", conversation: ROOM, epoch: this.#epochId, reason, snapshot, head: this.head };
  }

  #catchUp(after) {
    for (let at = after; at < this.head; at += PAGE) {
      const events = this.log.slice(at, at + PAGE);
      this.#say({ type: "catchup", conversation: ROOM, events, head: this.head, done: at + PAGE >= this.head });
    }
  }

  #deltaFrom(run, offset) {
    const { text, stored } = this.runs.get(run);
    return { type: "delta", conversation: ROOM, run, message: `m-${run}`, offset, text: text.slice(offset, stored).join("") };
  }

  // ---- the bad wire

  #say(frame) {
    if (!this.connected) return;
    const copy = JSON.parse(JSON.stringify(frame));
    if (BARRIERS.has(frame.type)) this.#flush();
    else if (this.#random.chance(this.#chaos.lose)) return;
    this.#outgoing.push(copy);
    if (this.#random.chance(this.#chaos.double)) this.#outgoing.push(copy);
    if (BARRIERS.has(frame.type)) this.#flush();
    else this.#clock.setTimeout(() => this.#flush(), 10);
  }

  #flush() {
    const frames = this.#outgoing.splice(0);
    for (let at = frames.length - 1; at > 0; at -= 1) {
      if (!this.#random.chance(this.#chaos.reorder)) continue;
      const other = this.#random.between(0, at);
      [frames[at], frames[other]] = [frames[other], frames[at]];
    }
    while (frames.length > 0 && this.connected) {
      const batch = frames.splice(0, this.#random.between(1, 5));
      this.#session.socket.says(batch.length === 1 ? batch[0] : batch);
    }
  }
}

/** Lets the server take in every socket that the client opens, as long as it is `up`. */
export async function pump(scene, server, ms, { step = 100, up = () => true } = {}) {
  for (let passed = 0; passed < ms; passed += step) {
    await settled();
    const socket = scene.wire.last;
    if (socket && !socket.taken && !socket.closed) {
      socket.taken = true;
      if (up()) server.accept(socket);
      else socket.drops();
    }
    await scene.clock.pass(step);
  }
}
