import { Timer } from "./clock.js";
import { Following } from "./following.js";
import { HttpCalls, problemOf } from "./http.js";

const TERMS = { heartbeat_ms: 25_000, timeout_ms: 60_000, ack_window: 20, batch_ms: 50 };
const PING_MS = 25_000;

/**
 * Server-sent events and POST behind the face of a socket, for where none can be had (PROTOCOL 5): it takes the frames
 * that a socket takes and gives those that a socket gives. What HTTP has no words for (typing, acknowledgements) is
 * left out. One stream per conversation, resumed by the cursor that every transport shares.
 *
 * @param {{fetch: typeof fetch, api: string, clock: object}} options
 * @returns {(callbacks: import("./websocket.js").TransportCallbacks) => import("./websocket.js").Transport}
 */
export function eventTransport(options) {
  return (callbacks) => new EventTransport(options, callbacks);
}

class EventTransport {
  #calls;
  #callbacks;
  #following = new Map();
  #closed = false;
  #ping;

  constructor({ fetch, api, clock }, callbacks) {
    this.#calls = new HttpCalls({ fetch, api, onRenewed: (frame) => this.#tell(frame) });
    this.#callbacks = callbacks;
    this.#ping = new Timer(clock, () => this.#sign());
    queueMicrotask(() => this.#closed || callbacks.onOpen());
  }

  send(text) {
    const frame = JSON.parse(text);
    if (this.#calls.can(frame)) this.#calls.answer(frame).then((answer) => this.#tell(answer));
    else this.#acts[frame.type]?.(frame);
  }

  close() {
    this.#closed = true;
    this.#ping.clear();
    for (const one of this.#following.values()) one.close();
  }

  #acts = {
    hello: ({ token }) => this.#hello(token ?? null),
    join: (frame) => this.#join(frame),
    leave: (frame) => this.#leave(frame),
    attach: () => this.#following.forEach((one) => one.again()),
    auth: ({ ref, token }) => {
      this.#calls.token = token;
      this.#tell({ type: "ok", ref });
    },
  };

  async #hello(token) {
    this.#calls.token = token;
    const user = await this.#me();
    if (!user) return;
    const { id, name, username } = user;
    this.#tell({ type: "welcome", session: null, user: { id, name: name || username }, resumed: [], ...TERMS });
    this.#ping.set(PING_MS);
  }

  /** Who this is; null where the connection has ended over it. */
  async #me() {
    const response = await this.#calls.get("me/").catch(() => null);
    if (response?.ok) return response.json();
    const code = response?.status === 401 ? (await problemOf(response)).code : null;
    this.#end(code === null ? 1006 : code === "token_expired" ? 4004 : 4501);
    return null;
  }

  // Streams have comments as signs of life.
  async #sign() {
    if (this.#following.size === 0 && !(await this.#me())) return;
    if (this.#following.size === 0) this.#say("[]");
    if (!this.#closed) this.#ping.set(PING_MS);
  }

  #join(frame) {
    this.#following.get(frame.conversation)?.close();
    const one = new Following({
      conversation: frame.conversation,
      calls: this.#calls,
      tell: (text) => this.#following.get(frame.conversation) === one && this.#say(text),
      onEnd: (code) => this.#end(code),
    });
    this.#following.set(frame.conversation, one);
    one.join(frame);
  }

  #leave({ ref, conversation }) {
    this.#following.get(conversation)?.close();
    this.#following.delete(conversation);
    this.#tell({ type: "ok", ref });
  }

  #tell(frame) {
    this.#say(JSON.stringify(frame));
  }

  #say(text) {
    if (!this.#closed) this.#callbacks.onMessage(text);
  }

  #end(code) {
    if (this.#closed) return;
    this.close();
    this.#callbacks.onClose(code);
  }
}
