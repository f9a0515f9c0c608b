import { TRIES, waitBefore } from "./backoff.js";
import { Timer } from "./clock.js";
import { isFinal, reasonOf } from "./codes.js";

const STABLE_MS = 5000;
/** `retry_after_ms` is exceeded by such a part of it at most, so that not all come at the same moment. */
const JITTER = 0.2;

/**
 * @typedef {object} ConnectionState
 * @property {"idle"|"connecting"|"online"|"waiting"|"offline"|"closed"} state
 *   `offline` = five tries were in vain; the client goes on trying. `closed` = nothing more will be tried by itself.
 * @property {number} attempt  tries since the last good connection (0 = the first)
 * @property {number|null} retryAt  ms since 1970 of the next try, where one is waited for
 * @property {boolean} trying  a try is under way (also while `offline`)
 * @property {string|null} reason  why the last connection ended, e.g. `drain`, `network`, `unauthenticated`, `asked`
 * @property {number|null} code  the close code, where there was one
 */

/** Decides when to connect again (PROTOCOL 4 "Reconnecting client", "Close codes"). It opens nothing itself. */
export class Reconnector {
  #clock;
  #random;
  #connect;
  #onState;
  #timer;
  #state = { state: "idle", attempt: 0, retryAt: null, trying: false, reason: null, code: null };
  #onlineAt = null;
  #notBefore = 0;
  #invitedAt = null; // the server said when to come
  #drainTimer;

  /**
   * @param {object} options
   * @param {() => void} options.connect  start a try; `welcomed` or `lost` must follow
   * @param {(state: ConnectionState) => void} options.onState
   * @param {() => void} options.onDrained  the wait that the server asked for is over: give the connection up
   */
  constructor({ connect, onState, onDrained, clock, random }) {
    this.#clock = clock;
    this.#random = random;
    this.#connect = connect;
    this.#onState = onState;
    this.#timer = new Timer(clock, () => this.#try());
    this.#drainTimer = new Timer(clock, onDrained);
  }

  get state() {
    return this.#state;
  }

  start() {
    this.#state = { ...this.#state, state: "connecting", attempt: 0, reason: null, code: null };
    this.#try();
  }

  welcomed() {
    this.#onlineAt = this.#clock.now();
    this.#become({ state: "online", trying: false, retryAt: null, reason: null, code: null });
  }

  lost({ code, reason }) {
    this.#drainTimer.clear();
    if (isFinal(code)) return this.stop(reason ?? reasonOf(code), code);
    const attempt = this.#nextAttempt();
    const at = this.#retryTime(attempt);
    this.#onlineAt = this.#invitedAt = null;
    this.#become({
      state: attempt > TRIES ? "offline" : "waiting",
      attempt, retryAt: at, trying: false, reason: reason ?? reasonOf(code), code,
    });
    this.#timer.set(at - this.#clock.now());
  }

  stop(reason, code = null) {
    this.#timer.clear();
    this.#drainTimer.clear();
    this.#onlineAt = this.#invitedAt = null;
    this.#become({ state: "closed", attempt: 0, retryAt: null, trying: false, reason, code });
  }

  /** Do not wait longer than the server demands: the network is back, the page is looked at, somebody pressed a button. */
  hurry() {
    if (!this.#timer.armed) return;
    const at = Math.max(this.#clock.now(), this.#notBefore);
    this.#become({ retryAt: at });
    this.#timer.set(at - this.#clock.now());
  }

  /** `retry_after_ms` of an error that is not about one request. */
  holdOff(ms) {
    this.#notBefore = Math.max(this.#notBefore, this.#clock.now() + ms);
  }

  /** The turn that a server told where too many say `hello` at once. It is well, so the usual waits do not grow. */
  invite(ms) {
    this.#invitedAt = this.#clock.now() + ms * (1 + this.#random() * JITTER);
    this.#notBefore = Math.max(this.#notBefore, this.#invitedAt);
  }

  /** The server goes away: connect anew after the wait that it spread its clients over. */
  drain(ms) {
    this.#invitedAt = this.#clock.now() + ms;
    this.#notBefore = Math.max(this.#notBefore, this.#invitedAt);
    this.#drainTimer.set(ms);
  }

  #retryTime(attempt) {
    const wait = this.#clock.now() + waitBefore(attempt, this.#random);
    return Math.max(this.#clock.now(), this.#invitedAt ?? wait, this.#notBefore);
  }

  // A server that lets everybody in and drops them at once must not be run against every second.
  #nextAttempt() {
    if (this.#invitedAt !== null) return 0;
    const wasStable = this.#onlineAt !== null && this.#clock.now() - this.#onlineAt >= STABLE_MS;
    return wasStable ? 1 : this.#state.attempt + 1;
  }

  #try() {
    const state = this.#state.state === "offline" ? "offline" : "connecting";
    this.#become({ state, retryAt: null, trying: true });
    this.#connect();
  }

  #become(change) {
    this.#state = { ...this.#state, ...change };
    this.#onState(this.#state);
  }
}
