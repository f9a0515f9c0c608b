import { RETRYABLE } from "./codes.js";

/** `csrftoken`, as it is now: Django asks for it where the cookie is the identity. */
const csrfCookie = () => globalThis.document?.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

/** The address of the API beside that of the socket. */
export function apiUrl(socketUrl, base = globalThis.location?.href) {
  const url = new URL("/api/v1/", new URL(socketUrl, base));
  url.protocol = url.protocol.replace(/^ws/, "http");
  return url.href;
}

/**
 * What plain HTTP can do of the protocol: each call takes a frame of the socket and gives the frame that answers it,
 * so that nobody above need know the difference.
 */
export class HttpCalls {
  /** An access token; null where the cookie says who this is. */
  token;
  #fetch;
  #api;
  #onRenewed;

  /** @param {(frame: object) => void} [options.onRenewed]  an answer brought a new token: `auth:renewed` */
  constructor({ fetch, api, token = null, onRenewed = () => {} }) {
    this.#fetch = fetch;
    this.#api = api;
    this.#onRenewed = onRenewed;
    this.token = token;
  }

  /** @returns {Promise<Response>} rejects where there is no network */
  get(path, headers = {}, signal = undefined) {
    return this.#request(path, { headers: { ...this.#identity, ...headers }, signal, cache: "no-store" });
  }

  /** @returns {Promise<object>} the frame that answers */
  answer(frame) {
    return this.#answers[frame.type](frame).catch(() => failure(frame, { code: "unavailable", detail: "No answer." }));
  }

  can(frame) {
    return Object.hasOwn(this.#answers, frame.type);
  }

  #answers = {
    send: async (frame) => {
      const { type, ref, conversation, ...body } = frame;
      const found = await this.#json(await this.#post(`conversations/${conversation}/messages/`, body));
      if (found.problem) return failure(frame, found.problem);
      const { event, run, dup } = found.value;
      return { type: "sent", ref, conversation, cmid: frame.cmid, seq: event.seq, id: event.id, dup, ...(run && { run: run.id }) };
    },
    stop: async (frame) => {
      const { problem } = await this.#json(await this.#post(`runs/${frame.run}/stop/`));
      return problem ? failure(frame, problem) : { type: "ok", ref: frame.ref };
    },
    fetch: async (frame) => {
      const { ref, conversation, after_seq, limit } = frame;
      const path = `conversations/${conversation}/events/?after_seq=${after_seq}&limit=${limit}`;
      const { problem, value } = await this.#json(await this.get(path));
      return problem ? failure(frame, problem) : { type: "page", ref, conversation, events: value.results, head: value.head };
    },
  };

  get #identity() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  #post(path, body) {
    const headers = { ...this.#identity, "Content-Type": "application/json", "X-CSRFToken": csrfCookie() };
    return this.#request(path, { method: "POST", headers, body: body && JSON.stringify(body) });
  }

  async #request(path, options) {
    const response = await this.#fetch(this.#api + path, options);
    const access = this.token && response.headers.get("X-Access-Token");
    if (access) this.#onRenewed({ type: "auth:renewed", access, expires_at: expiryOf(access) });
    return response;
  }

  async #json(response) {
    if (response.ok) return { value: await response.json() };
    return { problem: await problemOf(response) };
  }
}

/** When a token (a JWT) expires; null where it does not say. */
function expiryOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return new Date(JSON.parse(atob(payload)).exp * 1000).toISOString();
  } catch {
    return null;
  }
}

/** The problem document of an answer; one of ours where a proxy answered in its stead. */
export async function problemOf(response) {
  const found = await response.json().catch(() => ({}));
  const after = Number(response.headers.get("Retry-After")) * 1000 || undefined;
  return { code: response.status === 429 ? "rate_limited" : "unavailable", retry_after_ms: after, ...found };
}

/** An `error` frame that answers `frame`. */
export function failure({ ref }, { code, detail, title, retry_after_ms }) {
  const retryable = RETRYABLE.has(code);
  return { type: "error", ref, code, message: detail ?? title ?? code, retryable, ...(retry_after_ms && { retry_after_ms }) };
}
