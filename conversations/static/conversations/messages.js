import { call, Refused } from "./calls.js";

export { Refused };

/** What the API does to one message. Each gives what the server answers, or throws Refused, or TypeError without network. */
export class Messages {
  #base;

  /** @param {string} base  address of the conversation's messages in the API */
  constructor(base) {
    this.#base = base;
  }

  get(message) {
    return this.#call("GET", `${message}/`);
  }

  versions(message) {
    return this.#call("GET", `${message}/versions/`);
  }

  /** `base` is the `changed_seq` of the text that was changed. With a `run`, only while it has not begun. */
  edit(message, text, base, run) {
    if (run) return call("PATCH", `/api/v1/runs/${run}/`, { text });
    return this.#call("PATCH", `${message}/`, { text }, { "If-Match": `"${base}"` });
  }

  delete(message) {
    return this.#call("DELETE", `${message}/`);
  }

  pin(message, on) {
    return this.#call("PUT", `${message}/pin/`, { on });
  }

  select(message) {
    return this.#call("PUT", `${message}/select/`);
  }

  regenerate(message) {
    return this.#call("POST", `${message}/regenerate/`, {});
  }

  rate(message, feedback) {
    return this.#call("PUT", `${message}/feedback/`, feedback);
  }

  #call(method, path, body, headers) {
    return call(method, this.#base + path, body, headers);
  }
}
