import { Timer } from "./clock.js";

const PAUSE_MS = 1000;

/**
 * Runs that somebody asked to stop. Stop is not disconnect (PROTOCOL 2.7): the wish outlives the connection and is
 * repeated until the server has taken it or the run has ended.
 */
export class Stops {
  #requests;
  #wishes = new Map(); // run → {promise, resolve, reject}
  #timer;

  constructor({ requests, clock }) {
    this.#requests = requests;
    this.#timer = new Timer(clock, () => this.connected());
  }

  /** @returns {Promise<void>} */
  add(run) {
    if (!this.#wishes.has(run)) this.#wishes.set(run, newWish());
    this.#ask(run);
    return this.#wishes.get(run).promise;
  }

  connected() {
    for (const run of this.#wishes.keys()) this.#ask(run);
  }

  disconnected() {
    this.#timer.clear();
  }

  ended(run) {
    this.#wishes.get(run)?.resolve();
    this.#wishes.delete(run);
  }

  #ask(run) {
    this.#requests.ask({ type: "stop", run }, (answer) => this.#answered(run, answer));
  }

  #answered(run, answer) {
    const failed = answer.type === "error" && answer.code !== "run_not_active";
    if (!failed) return this.ended(run);
    if (answer.retryable) return this.#timer.setOnce(answer.retry_after_ms ?? PAUSE_MS);
    this.#wishes.get(run)?.reject(Object.assign(new Error(answer.message), { code: answer.code }));
    this.#wishes.delete(run);
  }
}

function newWish() {
  const wish = {};
  wish.promise = new Promise((resolve, reject) => Object.assign(wish, { resolve, reject }));
  wish.promise.catch(() => {});
  return wish;
}
