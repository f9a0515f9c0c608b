/**
 * Who says hello (PROTOCOL 4): a token, a one-use ticket, or neither (then the session cookie counts).
 * Never in the URL.
 */
export class Identity {
  #getToken;
  #getTicket;
  #token = null;
  #renew = false;

  /**
   * @param {object} options
   * @param {string} [options.token]
   * @param {(ask: {renew: boolean}) => string|null|Promise<string|null>} [options.getToken]
   *   asked at the first hello, and with `renew: true` when the server says that the token has expired
   * @param {string|(() => string|Promise<string>)} [options.ticket]  a function is asked before every hello; a string works once
   */
  constructor({ token, getToken, ticket }) {
    this.#token = token ?? null;
    this.#getToken = getToken;
    this.#getTicket = typeof ticket === "string" ? once(ticket) : ticket;
  }

  /** What hello is said with; null where it is the cookie, or a ticket. */
  get token() {
    return this.#token;
  }

  get isExpired() {
    return this.#renew;
  }

  get canRenew() {
    return Boolean(this.#getToken);
  }

  /** @returns {Promise<{token?: string, ticket?: string}>} */
  async present() {
    try {
      if (this.#getToken && (this.#renew || !this.#token)) await this.renew();
      const ticket = await this.#getTicket?.();
      return { ...(this.#token && { token: this.#token }), ...(ticket && { ticket }) };
    } catch (cause) {
      throw Object.assign(new Error("no token to be had", { cause }), { reason: "token_unavailable" });
    }
  }

  /** Fetches a new token. The server's own renewals come through `renewed`. */
  async renew() {
    this.#token = (await this.#getToken({ renew: this.#renew })) ?? null;
    this.#renew = false;
    return this.#token;
  }

  /** The server sent a new token by itself. It is kept only where a token is what we say hello with. */
  renewed(token) {
    if (this.#token !== null || this.#getToken) this.#token = token;
    this.#renew = false;
  }

  expired() {
    this.#renew = true;
  }
}

function once(value) {
  let left = value;
  return () => {
    const ticket = left;
    left = null;
    return ticket;
  };
}
