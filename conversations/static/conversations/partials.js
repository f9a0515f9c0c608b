import { getPartial } from "./page.js";

/**
 * Fetches pieces of the page, each one at a time: asked for again while it is on its way, it is fetched once more,
 * so that the last one shown is never older than the last change. What cannot be had now is fetched on `retry`.
 */
export class Partials {
  #onPartial;
  #busy = new Map(); // url → asked for again?
  #failed = new Set();

  /** @param {(url: string, fragment: DocumentFragment) => void} onPartial */
  constructor(onPartial) {
    this.#onPartial = onPartial;
  }

  async fetch(url) {
    if (this.#busy.has(url)) return void this.#busy.set(url, true);
    this.#busy.set(url, false);
    const fragment = await this.#get(url);
    const again = this.#busy.get(url);
    this.#busy.delete(url);
    if (again) return this.fetch(url);
    if (fragment) this.#onPartial(url, fragment);
  }

  /** Whether something is on its way. */
  get busy() {
    return this.#busy.size > 0;
  }

  /** There is a connection again. */
  retry() {
    for (const url of [...this.#failed]) this.fetch(url);
  }

  async #get(url) {
    this.#failed.delete(url);
    try {
      return await getPartial(url);
    } catch {
      this.#failed.add(url);
      return null;
    }
  }
}
