import { createServer } from "node:http";
import { EPOCH, ROOM } from "./stage.mjs";

/**
 * A real HTTP server on loopback with one conversation, for who can get no WebSocket. `log` is what its streams tell;
 * `asked` the requests that came, `posted` the bodies.
 */
export class HttpServer {
  log = [];
  asked = [];
  posted = [];
  status = 200;
  renewal = null; // a token that its answers bring
  #streams = new Set();
  #server = createServer((request, response) => this.#handle(request, response));

  async start() {
    await new Promise((done) => this.#server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Stores an event, and tells all streams. */
  append(event) {
    this.log.push(event);
    for (const stream of this.#streams) stream.write(asEvent(event));
  }

  /** Tells all streams what is not in the log. */
  tell(frame) {
    for (const stream of this.#streams) stream.write(`event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`);
  }

  get streams() {
    return this.#streams.size;
  }

  endStreams() {
    for (const stream of this.#streams) stream.end();
  }

  async #handle(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    const path = pathname.replace("/api/v1/", "");
    this.asked.push({ method: request.method, path, headers: request.headers });
    if (this.renewal) response.setHeader("X-Access-Token", this.renewal);
    if (this.status !== 200) return problem(response, this.status, "unavailable");
    if (request.method === "POST") return this.#post(request, response);
    if (path === "me/") return json(response, { id: "u1", name: "Alice", username: "alice" });
    if (path === `conversations/${ROOM}/`) return json(response, { id: ROOM, epoch: EPOCH, head: this.log.length, role: "owner" });
    if (path.endsWith("members/")) return json(response, { results: [{ user: { id: "u1", name: "Alice" }, role: "owner" }] });
    if (path.endsWith("events/")) return this.#events(request, searchParams, response);
    return problem(response, 404, "not_found");
  }

  async #post(request, response) {
    let text = "";
    for await (const piece of request) text += piece;
    const body = JSON.parse(text || "{}");
    this.posted.push(body);
    const before = this.log.find(({ cmid }) => cmid && cmid === body.cmid);
    const event = before ?? { type: "message:new", conversation: ROOM, seq: this.log.length + 1, id: `id-${body.cmid}`, cmid: body.cmid, data: { text: body.text } };
    if (!before) this.append(event);
    json(response, { event, message: {}, dup: Boolean(before) }, before ? 200 : 201);
  }

  #events(request, query, response) {
    const [epoch, seq] = (request.headers["last-event-id"] ?? `${EPOCH}:${query.get("after_seq") ?? 0}`).split(":");
    if (epoch !== EPOCH) {
      const snapshot = { seq: this.log.length, state: { messages: [], runs: [], truncated: false } };
      return json(response, { code: "resync_required", reason: "epoch", epoch: EPOCH, head: this.log.length, snapshot }, 409);
    }
    const missing = this.log.filter((event) => event.seq > Number(seq));
    if (!request.headers.accept.includes("event-stream")) return json(response, { results: missing, head: this.log.length });
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(["retry: 1000\n\n", ...missing.map(asEvent)].join(""));
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
  }
}

const asEvent = (event) => `id: ${EPOCH}:${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

function json(response, value, status = 200) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(value));
}

const problem = (response, status, code) => json(response, { code, detail: code }, status);

/** Waits until something on the real network has come about. */
export async function until(condition) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (condition()) return;
    await new Promise((go) => setTimeout(go, 5));
  }
  throw new Error(`still not so: ${condition}`);
}
