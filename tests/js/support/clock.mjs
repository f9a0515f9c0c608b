/** Time that stands still until a test lets it pass. */
export class FakeClock {
  #now = Date.parse("2025-01-01T00:00:00Z");
  #timers = new Map();
  #count = 0;

  now = () => this.#now;

  setTimeout = (run, ms) => {
    this.#count += 1;
    this.#timers.set(this.#count, { at: this.#now + Math.max(0, ms), run });
    return this.#count;
  };

  clearTimeout = (id) => this.#timers.delete(id);

  get pending() {
    return this.#timers.size;
  }

  /** The device sleeps: time goes on, but no timer runs. */
  sleep(ms) {
    this.#now += ms;
  }

  /** Lets `ms` pass, running what comes due in its order, and promises in between. */
  async pass(ms) {
    const end = this.#now + ms;
    await settled();
    for (let due = this.#next(end); due; due = this.#next(end)) {
      const [id, { at, run }] = due;
      this.#timers.delete(id);
      this.#now = at;
      run();
      await settled();
    }
    this.#now = end;
  }

  #next(end) {
    return [...this.#timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
  }
}

/** Everything that waits only for promises has run. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
