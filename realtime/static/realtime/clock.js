/** Time as the client uses it. Tests inject their own. */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (id) => clearTimeout(id),
};

/** One timer that is set, set again, or cleared. */
export class Timer {
  #clock;
  #run;
  #id = null;

  constructor(clock, run) {
    this.#clock = clock;
    this.#run = run;
  }

  get armed() {
    return this.#id !== null;
  }

  set(ms) {
    this.clear();
    this.#id = this.#clock.setTimeout(() => {
      this.#id = null;
      this.#run();
    }, ms);
  }

  setOnce(ms) {
    if (!this.armed) this.set(ms);
  }

  clear() {
    if (this.#id !== null) this.#clock.clearTimeout(this.#id);
    this.#id = null;
  }
}
