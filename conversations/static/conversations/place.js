import { uuid7 } from "../realtime/ids.js";
import { UnsentStore } from "../realtime/store.js";
import { callApi } from "./page.js";
import { UploadError } from "./uploading.js";

/**
 * A new conversation whose first message carries files: they need a place before the message. It is begun when the
 * first file goes up; the message is left to the conversation's own page, which sends what is unsent.
 */
export class Place {
  #api;
  #user;
  #body;
  #key = uuid7();
  #made = null;

  /** @param {{api: string, user: string, body: () => object}} options */
  constructor({ api, user, body }) {
    this.#api = api;
    this.#user = user;
    this.#body = body;
  }

  /** @returns {Promise<string>} its id; rejects with an UploadError, and may be asked again */
  conversation() {
    this.#made ??= this.#begin().catch((error) => {
      this.#made = null;
      throw error;
    });
    return this.#made;
  }

  /** Says the first message there. @returns {Promise<string>} the id of the conversation */
  async say(text, parts) {
    const id = await this.conversation();
    const message = { cmid: uuid7(), at: Date.now(), body: { text, parts } };
    const store = new UnsentStore(localStorage, this.#user);
    store.put(id, message);
    const kept = store.list(id).length > 0;
    if (!kept) await callApi("POST", `${this.#api}${id}/messages/`, { cmid: message.cmid, ...message.body });
    return id;
  }

  async #begin() {
    const body = this.#body();
    const response = await callApi("POST", this.#api, body, { "Idempotency-Key": this.#key }).catch(() => null);
    if (!response?.ok) throw new UploadError("failed");
    return (await response.json()).id;
  }
}
