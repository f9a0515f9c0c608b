import { Timer } from "./clock.js";
import { countCodePoints, dropCodePoints } from "./codepoints.js";

const ANSWER_MS = 5000;
const ENDED_KEPT = 1000;

/**
 * The running answers of one conversation (PROTOCOL 4 "Resume"): a delta is taken only where its offset equals the
 * length held, overlaps are cut, and what is missing is asked for with one `attach` per run.
 */
export class Answers {
  #requests;
  #clock;
  #running = new Map(); // run → RunningAnswer
  #ended = new Set();

  /** @param {{requests: import("./requests.js").Requests, clock: object}} options */
  constructor({ requests, clock }) {
    this.#requests = requests;
    this.#clock = clock;
  }

  knows(run) {
    return this.#running.has(run) || this.#ended.has(run);
  }

  /** The text held of a running answer, or undefined. */
  text(run) {
    return this.#running.get(run)?.text;
  }

  /** `{run: offset}` for `hello.resume`. */
  offsets() {
    return Object.fromEntries([...this.#running].map(([run, answer]) => [run, answer.length]));
  }

  begin(run, text = "") {
    if (!this.knows(run)) this.#running.set(run, new RunningAnswer(run, text, this.#requests, this.#clock));
  }

  /** @returns {{offset: number, text: string, full: string}|null} what is new in this delta; null where nothing is */
  take({ run, offset, text }) {
    if (this.#ended.has(run)) return null;
    this.begin(run);
    return this.#running.get(run).take(offset, text);
  }

  /** `run:end` has the last word; whatever delta comes after it is ignored. */
  end(run) {
    this.#running.get(run)?.stop();
    this.#running.delete(run);
    this.#ended.add(run);
    if (this.#ended.size > ENDED_KEPT) this.#ended.delete(this.#ended.values().next().value);
  }

  disconnected() {
    for (const answer of this.#running.values()) answer.stop();
  }

  reset() {
    this.disconnected();
    this.#running.clear();
    this.#ended.clear();
  }
}

class RunningAnswer {
  text;
  length; // in code points
  #run;
  #requests;
  #known = 0; // the server has at least so much
  #ref = null;
  #timer;

  constructor(run, text, requests, clock) {
    this.#run = run;
    this.#requests = requests;
    this.#timer = new Timer(clock, () => this.#attachAgain());
    this.text = text;
    this.length = countCodePoints(text);
  }

  take(offset, text) {
    const end = offset + countCodePoints(text);
    this.#known = Math.max(this.#known, end);
    if (offset > this.length) return this.#attach();
    if (end <= this.length) return null;
    const piece = { offset: this.length, text: dropCodePoints(text, this.length - offset) };
    this.text += piece.text;
    this.length = end;
    if (this.length >= this.#known) this.stop();
    return { ...piece, full: this.text };
  }

  stop() {
    this.#requests.cancel(this.#ref);
    this.#ref = null;
    this.#timer.clear();
  }

  #attach() {
    if (this.#ref === null && !this.#timer.armed) {
      const frame = { type: "attach", run: this.#run, offset: this.length };
      this.#ref = this.#requests.ask(frame, (answer) => this.#refused(answer));
      if (this.#ref !== null) this.#timer.set(ANSWER_MS);
    }
    return null;
  }

  #attachAgain() {
    this.stop();
    if (this.length < this.#known) this.#attach();
  }

  // Refused for good: the next delta asks again, or `run:end` brings the whole text.
  #refused(error) {
    if (error.type !== "error") return;
    this.stop();
    if (error.retryable) this.#timer.set(error.retry_after_ms ?? 1000);
  }
}
