import { Timer } from "./clock.js";

const REPEAT_MS = 3000;
const IDLE_MS = 5000;
const READ_MS = 500;

/** "… is typing": said at most every 3 s however often a key is pressed, taken back after 5 s without one. */
export class Typing {
  #tell;
  #clock;
  #saidAt = null;
  #idle;

  /** @param {(on: boolean) => boolean} tell */
  constructor(tell, clock) {
    this.#tell = tell;
    this.#clock = clock;
    this.#idle = new Timer(clock, () => this.set(false));
  }

  set(on) {
    if (on) this.#on();
    else this.#off();
  }

  disconnected() {
    this.#saidAt = null;
    this.#idle.clear();
  }

  #on() {
    this.#idle.set(IDLE_MS);
    const now = this.#clock.now();
    if (this.#saidAt !== null && now - this.#saidAt < REPEAT_MS) return;
    if (this.#tell(true)) this.#saidAt = now;
  }

  #off() {
    this.#idle.clear();
    if (this.#saidAt !== null) this.#tell(false);
    this.#saidAt = null;
  }
}

/** How far this user has read: only ever forward, at most twice a second, repeated after a reconnect. */
export class ReadMarker {
  #tell;
  #seq = 0;
  #told = 0;
  #timer;

  /** @param {(seq: number) => boolean} tell */
  constructor(tell, clock) {
    this.#tell = tell;
    this.#timer = new Timer(clock, () => this.#say());
  }

  set(seq) {
    if (seq <= this.#seq) return;
    this.#seq = seq;
    if (!this.#timer.armed) this.#say();
  }

  connected() {
    this.#told = 0;
    this.#say();
  }

  disconnected() {
    this.#timer.clear();
  }

  /** Another numbering: the old mark means nothing in it. */
  reset() {
    this.#seq = this.#told = 0;
  }

  #say() {
    if (this.#seq <= this.#told || !this.#tell(this.#seq)) return;
    this.#told = this.#seq;
    this.#timer.set(READ_MS);
  }
}
