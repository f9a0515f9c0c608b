import { eventsOf } from "./eventstream.js";
import { failure, problemOf } from "./http.js";

const NEWEST = 100;
const NO_EPOCH = "00000000-0000-0000-0000-000000000000";

/**
 * One conversation as a stream of server-sent events. It tells what a socket would tell: `joined` (after a `resync`
 * where the cursor is void), then events and deltas as they are.
 */
export class Following {
  #calls;
  #tell;
  #onEnd;
  #conversation;
  #last = null; // the last id, to go on from
  #aborter = new AbortController();

  /**
   * @param {object} options
   * @param {import("./http.js").HttpCalls} options.calls
   * @param {(text: string) => void} options.tell  of a frame, or of "[]" as a sign of life
   * @param {(code: number) => void} options.onEnd  the connection as a whole is lost
   */
  constructor({ conversation, calls, tell, onEnd }) {
    this.#conversation = conversation;
    this.#calls = calls;
    this.#tell = tell;
    this.#onEnd = onEnd;
  }

  close() {
    this.#aborter.abort();
  }

  /** @param {{ref, epoch?, seq?, since?}} join */
  async join(join) {
    await this.#safely(async () => {
      const about = await this.#about(join);
      if (about) await this.#open(this.#where(join, about), join, about);
    });
  }

  /** Reads on from the last id: whatever is stored of running answers comes again. */
  async again() {
    if (!this.#last) return;
    this.#aborter.abort();
    this.#aborter = new AbortController();
    await this.#safely(() => this.#open({ headers: { "Last-Event-ID": this.#last } }));
  }

  async #safely(work) {
    const { signal } = this.#aborter;
    await work().catch(() => signal.aborted || this.#onEnd(1006));
  }

  /** What `joined` needs to say; null where that could not be had, and has been told. */
  async #about(join) {
    const path = `conversations/${this.#conversation}/`;
    const answers = await Promise.all([this.#get(path), this.#get(`${path}members/`)]);
    const bad = answers.find(({ ok }) => !ok);
    if (bad) return void (await this.#refused(join, bad));
    const [conversation, members] = await Promise.all(answers.map((one) => one.json()));
    return { ...conversation, members: members.results ?? members };
  }

  #get(path, headers) {
    return this.#calls.get(path, headers, this.#aborter.signal);
  }

  async #refused(join, response) {
    const problem = await problemOf(response);
    if (response.status === 401) this.#onEnd(problem.code === "token_expired" ? 4004 : 4501);
    else this.#tell(JSON.stringify(failure(join, problem)));
  }

  #where({ epoch, seq, since }, { head }) {
    const cursor = (at) => ({ headers: { "Last-Event-ID": at } });
    if (seq === undefined && since) return { query: `?since=${encodeURIComponent(since)}` };
    if (seq === undefined) return { query: `?after_seq=${Math.max(0, head - NEWEST)}` };
    if (seq === 0) return { query: "?after_seq=0" };
    return cursor(`${epoch ?? NO_EPOCH}:${seq}`); // a seq without an epoch is void, as on a socket
  }

  async #open({ headers = {}, query = "" }, join = null, about = null) {
    const path = `conversations/${this.#conversation}/events/${query}`;
    const response = await this.#get(path, { ...headers, Accept: "text/event-stream" });
    if (response.ok) {
      if (join) this.#joined(join, about);
      return this.#read(response);
    }
    const problem = response.status === 409 ? await response.clone().json() : {};
    if (problem.code === "resync_required" && problem.snapshot) return this.#resync(problem, join, about);
    if (join) await this.#refused(join, response);
    else this.#onEnd(1006);
  }

  async #resync({ reason, epoch, head, snapshot }, join, about) {
    if (!join) return this.#onEnd(1006); // join again
    this.#joined(join, { ...about, epoch, head }, reason);
    this.#say({ type: "resync", epoch, reason, snapshot, head });
    return this.#open({ headers: { "Last-Event-ID": `${epoch}:${head}` } });
  }

  #joined({ ref, seq }, { epoch, head, role, members }, reason = undefined) {
    const resumed = seq !== undefined && !reason;
    this.#say({ type: "joined", ref, epoch, head, role, shard: 0, online: 1, members, state: {}, resumed, reason });
  }

  #say(frame) {
    this.#tell(JSON.stringify({ conversation: this.#conversation, ...frame }));
  }

  async #read(response) {
    for await (const event of eventsOf(response.body)) {
      if (this.#aborter.signal.aborted) return;
      if (event?.id) this.#last = event.id;
      if (event?.type === "error") return this.#failed(event.data);
      this.#tell(event?.data ?? "[]");
      if (event?.type === "session:expired") return this.#onEnd(4501); // final, as on a socket
    }
    if (!this.#aborter.signal.aborted) await this.#ended();
  }

  // It was joined already: where that helps, the connection begins anew, after as long as the error says.
  #failed(error) {
    this.#tell(error);
    if (JSON.parse(error).retryable) this.#onEnd(1006);
  }

  /** The server ends a stream with the membership, with the login, or because it goes away itself. */
  async #ended() {
    const response = await this.#get(`conversations/${this.#conversation}/`);
    const erased = response.ok && (await response.json()).erased;
    if (response.status === 404) this.#say({ type: "left", reason: "removed" });
    else if (erased) this.#say({ type: "left", reason: "closed" });
    else this.#onEnd(response.status === 401 ? 4501 : 1006);
  }
}
