import { MAX_FRAME_BYTES } from "./codes.js";
import { Connection, OPEN_MS } from "./connection.js";
import { eventTransport } from "./eventtransport.js";
import { HttpCalls, apiUrl } from "./http.js";
import { bytesOf } from "./outbox.js";
import { SOCKET_MS, Ways } from "./ways.js";
import { webSocketTransport, webSocketUrl } from "./websocket.js";

/**
 * The connection to the server, by whichever way there is: a WebSocket; server-sent events and POST where none can be
 * had, until one can. When to connect again is not decided here.
 */
export class Wire {
  #open;
  #http;
  #clock;
  #identity;
  #calls;
  #ways;
  #connection = null;
  #probe = null; // a WebSocket that is tried while there are only server-sent events
  #maxFrame = MAX_FRAME_BYTES;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {typeof WebSocket} options.WebSocket
   * @param {typeof fetch|null} options.fetch  null = a WebSocket or nothing
   * @param {import("./identity.js").Identity} options.identity
   * @param {(identity: object) => object} options.hello
   * @param {(frame: object) => void} options.onFrame
   * @param {(end: {code: number|null, reason: string|null}) => void} options.onEnd
   * @param {() => void} options.onReplaced  another connection has taken over; its `welcome` follows
   */
  constructor({ url, WebSocket, fetch, clock, identity, ...calls }) {
    const openSocket = webSocketTransport(WebSocket);
    const api = fetch && apiUrl(url);
    this.#clock = clock;
    this.#identity = identity;
    this.#calls = calls;
    this.#http = fetch && new HttpCalls({ fetch, api, onRenewed: (frame) => calls.onFrame(frame) });
    this.#open = {
      websocket: (callbacks) => openSocket(webSocketUrl(url), callbacks),
      sse: fetch && eventTransport({ fetch, api, clock }),
    };
    this.#ways = new Ways({ available: Boolean(fetch), clock, onAgain: () => this.trySocket() });
  }

  get welcomed() {
    return Boolean(this.#connection?.welcomed);
  }

  /** There is, or was, a connection that was not welcomed yet. */
  get greeting() {
    return this.#connection !== null && !this.#connection.welcomed;
  }

  /** @type {import("./ways.js").Way} */
  get way() {
    return this.#ways.current;
  }

  get hasHttp() {
    return Boolean(this.#http);
  }

  open() {
    this.#connectBy(this.#ways.choose());
  }

  /** @returns {boolean} whether there is a connection */
  send(frame) {
    if (!this.welcomed) return false;
    if (this.#isTooLarge(frame)) this.#request(frame);
    else this.#connection.send(frame);
    return true;
  }

  close() {
    this.#endProbe();
    this.#connection?.close();
    this.#connection = null;
  }

  /** Closed for good. */
  stop() {
    this.#ways.stop();
    this.close();
  }

  /** The server has said welcome. */
  noteWelcome() {
    this.#ways.welcomed();
  }

  /** Frames of `bytes` are too large for something on the way: they are requests from now on. */
  noteTooLarge(bytes) {
    this.#maxFrame = Math.min(this.#maxFrame, bytes - 1);
  }

  probe(ask) {
    this.#connection?.probe(ask);
  }

  /** Beside server-sent events, which go on meanwhile: a WebSocket that is welcomed takes over. */
  trySocket() {
    if (this.#probe || this.way !== "sse" || !this.welcomed) return;
    const isProbe = () => this.#probe === probe;
    const calls = {
      onFrame: (frame) => (isProbe() ? this.#onProbed(frame) : this.#calls.onFrame(frame)),
      onEnd: (end) => (isProbe() ? this.#endProbe() : this.#ended(end)),
    };
    const probe = (this.#probe = this.#make("websocket", calls));
    probe.start(() => this.#identity.present());
  }

  #connectBy(way) {
    this.#connection = this.#make(way, { onFrame: this.#calls.onFrame, onEnd: (end) => this.#ended(end) });
    this.#connection.start(() => this.#identity.present());
  }

  #make(way, calls) {
    const patience = way === "websocket" && this.#http ? SOCKET_MS : OPEN_MS;
    return new Connection({ open: this.#open[way], hello: this.#calls.hello, ...calls }, this.#clock, patience);
  }

  #ended(end) {
    const fallsBack = this.#ways.fallsBack({ ...end, welcomed: this.#connection?.wasWelcomed });
    if (fallsBack) this.#connectBy("sse");
    else this.#calls.onEnd(end);
  }

  #onProbed(frame) {
    if (frame.type !== "welcome") return this.#endProbe();
    const probe = this.#probe;
    this.#probe = null;
    this.close();
    this.#connection = probe;
    this.#ways.tried(true);
    this.#calls.onReplaced();
    this.#calls.onFrame(frame);
  }

  #endProbe() {
    if (!this.#probe) return;
    this.#probe.close();
    this.#probe = null;
    if (this.welcomed) this.#ways.tried(false);
  }

  #isTooLarge(frame) {
    return frame.type === "send" && this.way === "websocket" && this.#http && bytesOf(frame) > this.#maxFrame;
  }

  /** Under the same `cmid`: should it have to be said again, that is harmless. */
  async #request(frame) {
    const connection = this.#connection;
    this.#http.token = this.#identity.token;
    const answer = await this.#http.answer(frame);
    if (connection === this.#connection && this.welcomed) this.#calls.onFrame(answer);
  }
}
