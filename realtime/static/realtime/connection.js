import { Timer } from "./clock.js";

/** How long a connection may take to be welcomed. */
export const OPEN_MS = 15_000;
const ACK_MS = 1000;
const DEFAULTS = { timeout_ms: 60_000, heartbeat_ms: 25_000, ack_window: 20 };

/**
 * One connection from opening to its end: hello, acknowledgements, liveness. It knows no conversation and is never
 * used again after its end.
 */
export class Connection {
  #calls;
  #clock;
  #transport = null;
  #terms = null; // from `welcome`; null until then
  #ended = false;
  #openMs;
  #received = 0;
  #acked = 0;
  #heardAt;
  #silence;
  #ackTimer;

  /**
   * @param {object} calls
   * @param {(callbacks: import("./websocket.js").TransportCallbacks) => import("./websocket.js").Transport} calls.open
   * @param {(identity: object) => object} calls.hello  builds the first frame, when the wire is open
   * @param {(frame: object) => void} calls.onFrame
   * @param {(end: {code: number|null, reason: string|null}) => void} calls.onEnd  once, never after `close`
   */
  constructor(calls, clock, openMs = OPEN_MS) {
    this.#calls = calls;
    this.#openMs = openMs;
    this.#clock = clock;
    this.#heardAt = clock.now();
    this.#silence = new Timer(clock, () => this.#end(null, this.#terms ? "timeout" : "unreachable"));
    this.#ackTimer = new Timer(clock, () => this.#ack());
  }

  get welcomed() {
    return this.#terms !== null && !this.#ended;
  }

  /** Also when it has ended meanwhile. */
  get wasWelcomed() {
    return this.#terms !== null;
  }

  /** @param {() => Promise<object>} identify  resolves to `{token?, ticket?}` */
  async start(identify) {
    this.#silence.set(this.#openMs);
    try {
      const identity = await identify();
      if (!this.#ended) this.#open(identity);
    } catch (error) {
      this.#end(null, error.reason ?? "unreachable");
    }
  }

  send(frame) {
    if (!this.#ended) this.#transport.send(JSON.stringify(frame));
  }

  close() {
    if (this.#ended) return;
    this.#ended = true;
    this.#silence.clear();
    this.#ackTimer.clear();
    this.#transport?.close();
  }

  /** The device woke up or changed networks: `ask` must be answered soon, or the connection counts as dead. */
  probe(ask, patienceMs = 5000) {
    if (!this.welcomed) return;
    if (this.#clock.now() - this.#heardAt > this.#terms.timeout_ms) return this.#end(null, "timeout");
    if (ask()) this.#silence.set(patienceMs);
  }

  #open(identity) {
    this.#transport = this.#calls.open({
      onOpen: () => this.send(this.#calls.hello(identity)),
      onMessage: (text) => this.#receive(text),
      onClose: (code) => this.#end(code, null),
    });
  }

  #end(code, reason) {
    if (this.#ended) return;
    this.close();
    this.#calls.onEnd({ code, reason });
  }

  #receive(text) {
    this.#received += 1;
    this.#heardAt = this.#clock.now();
    for (const frame of parse(text)) {
      if (this.#ended) return;
      if (frame.type === "welcome") this.#terms = { ...DEFAULTS, ...frame };
      this.#deliver(frame);
    }
    if (this.#ended || !this.#terms) return;
    this.#silence.set(this.#terms.timeout_ms);
    this.#acknowledgeSoon();
  }

  #deliver(frame) {
    try {
      this.#calls.onFrame(frame);
    } catch (error) {
      queueMicrotask(() => { throw error; }); // reported like any other, but the next frame is not lost for it
    }
  }

  // PROTOCOL 4 "ack": WebSocket messages, not frames; at half of the window, or after 1 s.
  #acknowledgeSoon() {
    const half = Math.max(1, Math.floor(this.#terms.ack_window / 2));
    if (this.#received - this.#acked >= half) this.#ack();
    else this.#ackTimer.setOnce(ACK_MS);
  }

  #ack() {
    this.#ackTimer.clear();
    this.#acked = this.#received;
    this.send({ type: "ack", n: this.#received });
  }
}

/** A message is one frame or an array of frames. What is neither is left out: a hole that it leaves is noticed. */
function parse(text) {
  try {
    const parsed = JSON.parse(text);
    const frames = Array.isArray(parsed) ? parsed : [parsed];
    return frames.filter((frame) => typeof frame?.type === "string");
  } catch {
    return [];
  }
}
