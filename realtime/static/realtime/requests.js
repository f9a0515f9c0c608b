/**
 * Frames that are answered: each gets a `ref`, and the answer with the same `ref` goes to who asked. An answer belongs
 * to its connection, so `clear` forgets them all.
 */
export class Requests {
  #send;
  #waiting = new Map();
  #count = 0;

  /** @param {(frame: object) => boolean} send  false = not connected */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {object} frame
   * @param {(answer: object) => void} onAnswer  called at most once
   * @returns {string|null} the ref; null where there is no connection
   */
  ask(frame, onAnswer = () => {}) {
    const ref = `r${this.#count + 1}`;
    if (!this.#send({ ...frame, ref })) return null;
    this.#count += 1;
    this.#waiting.set(ref, onAnswer);
    return ref;
  }

  /** @returns {boolean} whether somebody had asked for it */
  answer(frame) {
    const onAnswer = this.#waiting.get(frame.ref);
    this.#waiting.delete(frame.ref);
    onAnswer?.(frame);
    return Boolean(onAnswer);
  }

  cancel(ref) {
    this.#waiting.delete(ref);
  }

  clear() {
    this.#waiting.clear();
  }
}
