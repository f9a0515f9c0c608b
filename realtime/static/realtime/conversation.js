import { Emitter } from "./emitter.js";

/**
 * One conversation as a page or an integrator sees it. Got from `client.join(id, position)`.
 *
 * Events (`room.on(type, detail => …)`, or `addEventListener` with `event.detail`):
 *
 * | type | detail |
 * |---|---|
 * | `joined` | the frame `joined`: `{epoch, head, role, online, members, state, resumed, reason?}`; again after every reconnect |
 * | `event` | one event of the log, each exactly once and in order: `{type, seq, id, actor, at, cmid?, data}` |
 * | `delta` | `{run, message, offset, text, full}`: what is new of a running answer, and its whole text so far |
 * | `resync` | `{epoch, seq, reason, snapshot, head}`: throw the local state away and take `snapshot.state` (null: wait for events) |
 * | `sent` | `{cmid, seq, id, dup, run?}`: acknowledged, therefore kept |
 * | `failed` | a `SendError {code, message, cmid, body}`: refused for good; `body.text` gives the text back |
 * | `presence` | `{type: "joined"\|"user:join"\|"user:leave", users, online}` |
 * | `typing` `read` | `{user, on}`, `{user, seq}` |
 * | `state` `degraded` | the frames `state:set` and `plugin:degraded` |
 * | `error` | `{code, message, retryable}`: the conversation could not be joined |
 * | `left` | `{reason: "asked"\|"removed"\|"closed"\|<code>}`: this object is done |
 */
export class Conversation extends Emitter {
  /** Role of this user, once joined. @type {string|null} */
  role = null;
  /** Number of users who are here (users, not sockets). */
  online = 0;
  members = [];
  #work;

  /** @param {import("./subscription.js").Subscription} work */
  constructor(work) {
    super();
    this.#work = work;
  }

  get id() {
    return this.#work.id;
  }

  /** The cursor's numbering; with `seq` it resumes on every transport (PROTOCOL 2.3). */
  get epoch() {
    return this.#work.cursor.epoch;
  }

  /** Everything up to and including it has been given out as `event` or `resync`; null = nothing yet. */
  get seq() {
    return this.#work.cursor.seq;
  }

  get head() {
    return this.#work.cursor.head;
  }

  /** On this connection, now. */
  get joined() {
    return this.#work.joined;
  }

  /** What is not acknowledged: `[{cmid, at, text, …}]`, oldest first. Also what an earlier page left behind. */
  get unsent() {
    return this.#work.outbox.unsent;
  }

  /** The text so far of a running answer; undefined where none runs. */
  text(run) {
    return this.#work.answers.text(run);
  }

  /**
   * Says something. Sent now, or as soon as there is a connection, with the same `cmid` until the server has
   * acknowledged or refused it.
   *
   * @param {string} text
   * @param {object} [options]
   * @param {string} [options.action]  chat, agents, batch, report, or a registered one
   * @param {string} [options.assistant]
   * @param {string} [options.reply_to]  id of a message
   * @param {"reject"|"enqueue"|"interrupt"|"rollback"} [options.on_busy]
   * @param {number} [options.seen_seq]  the head on screen; the cursor unless given
   * @param {{type: "file", id: string}[]} [options.parts]  files that were uploaded into this conversation
   * @param {string} [options.cmid]
   * @returns {{cmid: string, acknowledged: Promise<{seq: number, id: string, dup: boolean, run?: string}>}}
   *   `acknowledged` rejects with a `SendError`
   */
  send(text, options = {}) {
    const seen_seq = options.seen_seq ?? this.seq ?? undefined;
    const { cmid, acknowledged } = this.#work.outbox.add({ ...options, text, seen_seq });
    return { cmid, acknowledged };
  }

  /**
   * Stops a run; also later, if there is no connection now. Resolves when the server has taken it or the run has ended.
   * @param {string} run
   * @returns {Promise<void>}
   */
  stop(run) {
    return this.#work.stops.add(run);
  }

  /** Call on every key press; it is throttled. */
  typing(on = true) {
    this.#work.typing.set(on);
  }

  /** This user has read everything up to `seq`. */
  read(seq = this.seq) {
    this.#work.reading.set(seq);
  }

  /** Goes away from this conversation; the connection stays. What is unsent stays in the storage, if there is one. */
  leave() {
    this.#work.leave();
  }

  /** @internal */
  admitted(frame) {
    this.role = frame.role ?? null;
    this.members = frame.members ?? [];
    this.online = frame.online ?? 0;
    this.emit("joined", frame);
    this.emit("presence", { type: "joined", users: this.members, online: this.online });
  }

  /** @internal */
  present({ type, users, online }) {
    this.online = online;
    this.emit("presence", { type, users, online });
  }
}
