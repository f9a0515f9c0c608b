/** A stand-in for the browser's WebSocket; `wire` is the far end of all that were opened. */
export function fakeWebSocket() {
  const wire = { sockets: [], get last() { return wire.sockets.at(-1); } };

  class FakeWebSocket {
    closed = false;
    sent = [];
    #unread = 0;

    constructor(url) {
      this.url = url;
      wire.sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
      this.onsent?.(this.sent.at(-1));
    }

    close() {
      this.closed = true;
    }

    // ---- the far end

    opens() {
      this.onopen?.();
    }

    says(...frames) {
      for (const frame of frames) this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }

    drops(code = 1006) {
      this.closed = true;
      this.onclose?.({ code, reason: "" });
    }

    /** What came since the last call, acks left out unless asked for. */
    heard({ acks = false } = {}) {
      const fresh = this.sent.slice(this.#unread);
      this.#unread = this.sent.length;
      return fresh.filter(({ type }) => acks || type !== "ack");
    }
  }

  return { WebSocket: FakeWebSocket, wire };
}
