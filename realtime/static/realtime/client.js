/**
 * The reconnecting client of the protocol (docs: PROTOCOL 4). No dependencies, no build step.
 *
 *     import { Client } from "/static/realtime/client.js";
 *     const client = new Client({ url: "/ws/" });
 *     client.on("state", ({ state, retryAt }) => …);
 *     const room = client.join(conversationId, { epoch, seq });
 *     room.on("event", (event) => …);
 *     room.on("delta", ({ message, full }) => …);
 *     client.connect();
 *     const { acknowledged } = room.send("Hello");
 */
import { systemClock } from "./clock.js";
import { INSUFFICIENT_STATE, MAX_FRAME_BYTES, MAX_REQUEST_BYTES, TOKEN_EXPIRED, TOO_LARGE } from "./codes.js";
import { Emitter } from "./emitter.js";
import { Identity } from "./identity.js";
import { uuid7 } from "./ids.js";
import { Reconnector } from "./reconnector.js";
import { Requests } from "./requests.js";
import { UnsentStore } from "./store.js";
import { Subscriptions } from "./subscriptions.js";
import { watchPage } from "./wakeups.js";
import { Wire } from "./wire.js";

export { Conversation } from "./conversation.js";
export { SendError } from "./outbox.js";

const UNAUTHENTICATED = 4501;

/**
 * Events: `state` (`ConnectionState`), `welcome`, `session:expired`, `auth:renewed`, `drain` (the frames), and `error`
 * (`{code, message, retryable, retry_after_ms?}`, where it is not about one request).
 */
export class Client extends Emitter {
  /** One id per page: two tabs are two clients. */
  clientId;
  /** From `welcome`; null before. @type {object|null} */
  user = null;
  #options;
  #clock;
  #identity;
  #store;
  #requests;
  #reconnector;
  #wire;
  #session = null;
  #expired = false;
  #subscriptions;
  #unwatch = null;

  /**
   * @param {object} [options]
   * @param {string} [options.url]  of the WebSocket, absolute or relative to the page; `/ws/` unless given
   * @param {string} [options.clientId]
   * @param {string} [options.token]
   * @param {(ask: {renew: boolean}) => string|null|Promise<string|null>} [options.getToken]
   * @param {string|(() => string|Promise<string>)} [options.ticket]  `POST auth/ticket/`, for a page on another origin
   * @param {(access: string, expiresAt: string) => void} [options.onToken]  the server renewed the token
   * @param {Storage} [options.storage]  e.g. `localStorage`: keeps what is unsent over a reload
   * @param {string} [options.user]  id of the user who is logged in; give it wherever `storage` outlives a log-out
   * @param {typeof WebSocket} [options.WebSocket]
   * @param {typeof fetch|null} [options.fetch]  for server-sent events and POST where there is no WebSocket; null = never
   * @param {{now, setTimeout, clearTimeout}} [options.clock]
   * @param {() => number} [options.random]
   * @param {{window?: EventTarget, document?: Document}} [options.page]  where `online` and `visibilitychange` come from
   */
  constructor(options = {}) {
    super();
    const { WebSocket, fetch } = globalThis;
    this.#options = { url: "/ws/", WebSocket, fetch: fetch?.bind(globalThis), random: Math.random, page: globalThis, ...options };
    this.clientId = options.clientId ?? uuid7();
    this.#clock = options.clock ?? systemClock;
    this.#identity = new Identity(options);
    this.#store = new UnsentStore(options.storage, options.user);
    this.#wire = new Wire({ ...this.#options, clock: this.#clock, identity: this.#identity, ...this.#calls });
    this.#requests = new Requests((frame) => this.#wire.send(frame));
    this.#subscriptions = new Subscriptions({
      requests: this.#requests,
      tell: (frame) => this.#wire.send(frame),
      store: this.#store,
      clock: this.#clock,
      maxBytes: this.#wire.hasHttp ? MAX_REQUEST_BYTES : MAX_FRAME_BYTES,
    });
    this.#reconnector = new Reconnector({
      connect: () => this.#wire.open(),
      onState: () => this.emit("state", this.state),
      onDrained: () => this.#giveUp({ code: null, reason: "drain" }),
      clock: this.#clock,
      random: this.#options.random,
    });
  }

  /**
   * `transport` is `websocket` or `sse` while online, else null.
   * @type {import("./reconnector.js").ConnectionState & {transport: import("./ways.js").Way|null}}
   */
  get state() {
    const state = this.#reconnector.state;
    return { ...state, transport: state.state === "online" ? this.#wire.way : null };
  }

  /** Connects and stays connected until `close` or a final close code. While it waits: tries now. */
  connect() {
    const { state } = this.state;
    if (state !== "idle" && state !== "closed") return this.#reconnector.hurry();
    this.#unwatch = watchPage(this.#options.page, () => this.#wake());
    this.#reconnector.start();
  }

  /** Ends the connection for good. What is unsent stays where it is. */
  close() {
    this.#stop("asked");
  }

  /**
   * Follows a conversation. Before or after `connect`; twice gives the same object.
   *
   * @param {string} id
   * @param {object} [position]  what is on screen already; nothing = begin with the newest page
   * @param {string} [position.epoch]
   * @param {number} [position.seq]  with `epoch`: everything up to it is here
   * @param {string} [position.since]  a time, for who knows nothing better
   * @param {Object<string, string>} [position.runs]  text on screen of answers that still run, by run
   * @returns {import("./conversation.js").Conversation}
   */
  join(id, position = {}) {
    const known = this.#subscriptions.get(id);
    if (known) return known.room;
    const subscription = this.#subscriptions.add(id, position);
    if (this.#store.user !== null) subscription.outbox.restore();
    if (this.#wire.welcomed) subscription.connected();
    return subscription.room;
  }

  /** Tells the server of a token that the page got elsewhere. */
  auth(token) {
    this.#identity.renewed(token);
    this.#requests.ask({ type: "auth", token });
  }

  // ---- the connection

  get #calls() {
    return {
      hello: (identity) => this.#hello(identity),
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) => this.#lost(end),
      onReplaced: () => this.#forgetRequests(),
    };
  }

  #hello(identity) {
    const resume = this.#subscriptions.resumeEntries();
    return {
      type: "hello",
      v: 1,
      client_id: this.clientId,
      ...identity,
      ...(this.#session && { session: this.#session }),
      ...(resume.length > 0 && { resume }),
    };
  }

  #stop(reason) {
    this.#drop();
    this.#endSession();
    this.#reconnector.stop(reason);
  }

  #giveUp(end) {
    this.#wire.close();
    this.#lost(end);
  }

  #lost({ code, reason }) {
    if (code === INSUFFICIENT_STATE) this.#forgetPositions();
    if (code === TOO_LARGE) this.#tooLarge();
    if (code === TOKEN_EXPIRED) this.#identity.expired();
    this.#drop();
    const renewable = code === UNAUTHENTICATED && this.#identity.isExpired && this.#identity.canRenew;
    const over = code === UNAUTHENTICATED && this.#expired;
    this.#reconnector.lost({ code: renewable ? TOKEN_EXPIRED : code, reason: over ? "session_expired" : reason });
    if (this.state.state === "closed") this.#endSession();
  }

  #tooLarge() {
    if (this.#wire.hasHttp) this.#wire.noteTooLarge(this.#subscriptions.largestInFlight);
    else this.#subscriptions.failLargest();
  }

  #drop() {
    this.#wire.close();
    this.#forgetRequests();
  }

  #forgetRequests() {
    this.#requests.clear();
    this.#subscriptions.disconnected();
  }

  #endSession() {
    this.#session = null;
    this.#wire.stop();
    this.#unwatch?.();
    this.#unwatch = null;
  }

  #forgetPositions() {
    this.#session = null;
    this.#subscriptions.forgetPositions();
  }

  #wake() {
    this.#wire.probe(() => this.#subscriptions.askForSignOfLife());
    this.#wire.trySocket();
    this.#reconnector.hurry();
  }

  // ---- frames

  #receive(frame) {
    this.#requests.answer(frame);
    if (frame.type === "error") this.#onError(frame);
    else if (frame.conversation) this.#subscriptions.get(frame.conversation)?.receive(frame);
    else this.#handlers[frame.type]?.(frame);
  }

  #handlers = {
    welcome: (frame) => this.#onWelcome(frame),
    heartbeat: (frame) => this.#onHeartbeat(frame),
    drain: (frame) => this.#onDrain(frame),
    "auth:renewed": (frame) => this.#onRenewed(frame),
    "session:expired": (frame) => this.#onSessionExpired(frame),
  };

  #onWelcome(frame) {
    if (!this.#isSameUser(frame.user)) return this.#stop("user_changed");
    this.#session = frame.session ?? this.#session; // server-sent events have none of ours
    this.#expired = false;
    this.user = frame.user ?? null;
    this.#store.user ??= frame.user?.id ?? null;
    const followed = this.#subscriptions.all; // a listener may join more of them, or close
    this.#wire.noteWelcome();
    this.#reconnector.welcomed();
    this.emit("welcome", frame);
    const resumed = new Map((frame.resumed ?? []).map((entry) => [entry.conversation, entry]));
    for (const one of followed) {
      one.outbox.restore();
      if (this.#wire.welcomed) one.connected(resumed.get(one.id));
    }
  }

  // Somebody else has logged in on this browser: what is unsent here must not go out in their name.
  #isSameUser(user) {
    return this.#store.user === null || !user || String(user.id) === String(this.#store.user);
  }

  #onHeartbeat({ n, heads = {} }) {
    this.#wire.send({ type: "pong", n });
    this.#subscriptions.sawHeads(heads);
  }

  #onDrain(frame) {
    this.#reconnector.drain(frame.retry_after_ms ?? 0);
    this.emit("drain", frame);
  }

  #onError(frame) {
    if (frame.code === "token_expired") this.#renew();
    if (frame.ref !== undefined && frame.ref !== null) return; // who asked has been told
    const helloRefused = this.#wire.greeting && frame.retryable;
    if (frame.retry_after_ms) this.#holdOff(frame, helloRefused && frame.code === "rate_limited");
    this.emit("error", frame);
    if (helloRefused) this.#giveUp({ code: null, reason: frame.code });
  }

  // Many come at once, and each is told its turn; what is unavailable may be so for long, so the waits grow as ever.
  #holdOff({ retry_after_ms: ms }, isTurn) {
    if (isTurn) this.#reconnector.invite(ms);
    else this.#reconnector.holdOff(ms);
  }

  async #renew() {
    this.#identity.expired();
    if (!this.#wire.welcomed || !this.#identity.canRenew) return;
    const token = await this.#identity.renew().catch(() => null); // then the server closes with 4004
    if (token) this.#requests.ask({ type: "auth", token });
  }

  #onRenewed(frame) {
    this.#identity.renewed(frame.access);
    if (this.#identity.token) this.#requests.ask({ type: "auth", token: frame.access });
    this.#options.onToken?.(frame.access, frame.expires_at);
    this.emit("auth:renewed", frame);
  }

  #onSessionExpired(frame) {
    // Of a socket it may be the session of before; streams are told of their own alone.
    this.#expired = frame.session === this.#session || this.state.transport === "sse";
    if (this.#expired) this.#session = null;
    this.emit("session:expired", frame);
  }
}
