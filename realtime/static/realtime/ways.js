import { Timer } from "./clock.js";

/** How long a WebSocket may take to be welcomed before plain HTTP is tried; a proxy may swallow it without a word. */
export const SOCKET_MS = 5000;
/** How long it is believed that no WebSocket can be had. */
const AGAIN_MS = 60_000;

/** @typedef {"websocket"|"sse"} Way */

/** Which of the two ways to the server is taken: a WebSocket, or server-sent events where none can be had. */
export class Ways {
  /** The one of the present connection. @type {Way} */
  current = "websocket";
  #available;
  #clock;
  #blockedUntil = 0;
  #again;

  /** @param {{available: boolean, clock: object, onAgain: () => void}} options  `onAgain`: time to try a WebSocket */
  constructor({ available, clock, onAgain }) {
    this.#available = available;
    this.#clock = clock;
    this.#again = new Timer(clock, onAgain);
  }

  /** For a new try. @returns {Way} */
  choose() {
    this.current = this.#clock.now() < this.#blockedUntil ? "sse" : "websocket";
    return this.current;
  }

  /**
   * A connection ended. Whether the other way is to be tried at once: a WebSocket that was never welcomed, for a reason
   * that is not the server's own, may be blocked.
   */
  fallsBack({ welcomed, code, reason }) {
    const own = code === 1009 || code >= 4000 || reason === "token_unavailable" || reason === "drain";
    const blocked = this.#available && this.current === "websocket" && !welcomed && !own;
    if (blocked) this.current = "sse";
    else if (this.current === "sse" && !welcomed) this.#blockedUntil = 0; // there is no way at all
    return blocked;
  }

  /** The present connection is welcomed. */
  welcomed() {
    if (this.current === "websocket") return this.#works();
    this.#blockedUntil = this.#clock.now() + AGAIN_MS;
    this.#again.set(AGAIN_MS);
  }

  /** A WebSocket was tried beside the present connection: in vain, or it takes over. */
  tried(works) {
    if (!works) return this.welcomed();
    this.current = "websocket";
    this.#works();
  }

  stop() {
    this.#again.clear();
  }

  #works() {
    this.#blockedUntil = 0;
    this.#again.clear();
  }
}
