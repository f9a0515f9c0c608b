import { Timer } from "./clock.js";
import { RESYNC_REASONS } from "./codes.js";

const ANSWER_MS = 10_000;
const RETRY_MS = 2000;

/**
 * Getting into one conversation on every new connection, and finding out whether what is held still counts there
 * (PROTOCOL 4 "Resume"): a cursor that is void is never replayed in part, it is replaced by a snapshot.
 */
export class Joining {
  /** What is held is void; nothing may be applied until `resync` is here. */
  awaitsResync = false;
  #conversation;
  #cursor;
  #since;
  #requests;
  #onRefused;
  #timer;
  #forgetful = false; // 4005: the next join must not say what is held
  #snapshotDidNotCome = false;

  /**
   * @param {object} options
   * @param {import("./cursor.js").Cursor} options.cursor
   * @param {string} [options.since]  a time, for as long as there is no cursor
   * @param {(error: object) => void} options.onRefused  for good
   */
  constructor({ conversation, cursor, since, requests, clock, onRefused }) {
    this.#conversation = conversation;
    this.#cursor = cursor;
    this.#since = since;
    this.#requests = requests;
    this.#onRefused = onRefused;
    this.#timer = new Timer(clock, () => this.#joinAgain());
  }

  /** Whether `hello.resume` may have an entry of ours; if not, we join after `welcome`. */
  get resumable() {
    return this.#cursor.seq !== null && !this.#forgetful;
  }

  /** @param {{ok: boolean, reason?: string}} [resumed]  our entry of `welcome.resumed`, where there is one */
  connected(resumed) {
    const joinedIsComing = resumed && (resumed.ok || RESYNC_REASONS.has(resumed.reason));
    if (joinedIsComing) this.#timer.set(ANSWER_MS);
    else this.join();
  }

  disconnected() {
    this.#timer.clear();
  }

  /** 4005, the server cannot say what we hold: join without resume data. */
  forgetPosition() {
    this.#forgetful = true;
  }

  join() {
    const frame = { type: "join", conversation: this.#conversation, ...(!this.#forgetful && this.#position) };
    const ref = this.#requests.ask(frame, (answer) => this.#answered(answer));
    if (ref !== null) this.#timer.set(ANSWER_MS);
  }

  /**
   * Takes the frame `joined`.
   * @returns {boolean} false = what is held is void and no snapshot can be had: begin anew with what comes
   */
  joined({ epoch, head, reason }) {
    this.#timer.clear();
    const wasForgetful = this.#forgetful;
    this.#forgetful = false;
    if (!this.#isVoid({ epoch, head, reason })) this.#cursor.epoch = epoch;
    else if (!wasForgetful) this.#awaitResync();
    else if (this.#snapshotDidNotCome) return false;
    else this.#askForSnapshot();
    return true;
  }

  /** The cursor was set anew. */
  settled() {
    this.#timer.clear();
    this.awaitsResync = this.#snapshotDidNotCome = false;
  }

  get #position() {
    const { epoch, seq } = this.#cursor;
    if (seq === null) return { ...(this.#since && { since: this.#since }) };
    return { ...(epoch && { epoch }), seq };
  }

  #isVoid({ epoch, head, reason }) {
    const held = this.#cursor;
    const otherNumbering = held.seq > 0 && held.epoch !== epoch;
    return RESYNC_REASONS.has(reason) || otherNumbering || head < held.seq;
  }

  #awaitResync() {
    this.awaitsResync = true;
    this.#timer.set(ANSWER_MS);
  }

  // Now the server knows us again: a void cursor is answered with a snapshot, which is more than a newest page.
  #askForSnapshot() {
    this.awaitsResync = true;
    this.join();
  }

  #joinAgain() {
    if (this.awaitsResync) this.#forgetful = this.#snapshotDidNotCome = true;
    this.join();
  }

  #answered(answer) {
    if (answer.type !== "error") return;
    if (answer.code === "resync_required") this.#forgetful = true;
    const again = answer.retryable || answer.code === "resync_required";
    if (again) this.#timer.set(answer.retry_after_ms ?? RETRY_MS);
    else this.#onRefused(answer);
  }
}
