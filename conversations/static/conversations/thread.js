import { dressActs } from "./acts.js";
import { addCopyButtons } from "./code.js";
import { assistantName, clone } from "./page.js";
import { Partials } from "./partials.js";
import { isPlain } from "./plain.js";
import { setTime, showTimes } from "./times.js";

const WORDS_LENGTH = 80;
const FROM_SCRATCH = 20; // more messages than these at once are cheaper to render as a page

/**
 * The messages on screen. Events put plain text there at once; what the server renders (Markdown, steps, outcomes)
 * replaces it as soon as it is fetched. Every change may come twice: after a rebuild, events run over what is shown.
 */
export class Thread {
  #root;
  #base;
  #reader;
  #partials = new Partials((url, fragment) => this.#show(url, fragment));
  #wanted = new Set();
  #begun = new Set(); // runs; what was rendered before may come in later

  /** @param {{root: HTMLElement, base: string, reader: string}} options  `base` is the address of this conversation's page */
  constructor({ root, base, reader }) {
    this.#root = root;
    this.#base = base;
    this.#reader = reader;
    this.#dress(root);
  }

  /** Texts of the answers that still run, by run. */
  get running() {
    const answers = this.#root.querySelectorAll("[data-status=streaming]");
    return Object.fromEntries([...answers].map((one) => [one.dataset.run, textOf(one)]));
  }

  authorOf(message) {
    return this.#article(message)?.querySelector(".author").textContent ?? "";
  }

  has(message) {
    return this.#article(message) !== null;
  }

  /** `message:new` */
  said({ seq, actor, at, data }) {
    if (this.has(data.message) || !this.#isRecent(seq)) return;
    const whole = needsNoServer(actor, data);
    const article = clone(whole ? (actor.id === this.#reader ? "said-by-reader" : "said-by-other") : "message");
    this.#insert(article, { message: data.message, seq, changed: seq, at, name: actor.name });
    if (!whole) {
      textNode(article).data = data.text;
      return this.#refresh(data.message);
    }
    article.dataset.group = data.message;
    const words = document.createElement("p");
    words.textContent = data.text;
    article.querySelector(".prose").replaceChildren(words);
    this.#dress(article);
  }

  /** `run:start` */
  began({ seq, at, data }) {
    this.#begun.add(data.run);
    this.#removeBegun(this.#root);
    if (this.has(data.message) || !this.#isRecent(seq)) return;
    const article = clone("answer");
    const old = data.branch_of && this.#byGroup(data.branch_of);
    article.dataset.run = data.run;
    article.dataset.group = data.branch_of ?? data.message;
    const place = old ? Number(old.dataset.seq) : seq;
    this.#insert(article, { message: data.message, seq: place, changed: seq, at, name: assistantName(data.assistant) });
    old?.remove();
    this.#nameQuestion(article, data.reply_to);
  }

  /** A piece of a running answer. `full` is all of it so far. */
  grew({ message, text, full }) {
    const article = this.#article(message);
    if (article?.dataset.status !== "streaming") return;
    const node = textNode(article);
    if (node.length + text.length === full.length) node.appendData(text);
    else if (full.length > node.length) node.data = full;
  }

  /** `run:step`, `run:ask`, `run:answer` */
  stepped({ data }) {
    const article = this.#byRun(data.run);
    if (article) this.#refresh(article.dataset.message);
  }

  /** An assistant, or a part of it, does without something; the answer goes on. @returns {boolean} whether it shows */
  degraded(run, text) {
    const article = this.#byRun(run);
    if (article?.dataset.status !== "streaming") return false;
    const note = clone("degraded");
    note.querySelector("span").textContent = text;
    article.append(note);
    return true;
  }

  /** Places in the queue changed. */
  queueMoved() {
    for (const note of this.#root.querySelectorAll("[data-queued]")) this.#refresh(note.closest("[data-message]").dataset.message);
  }

  /** `run:end`. Without a message, the question that was waiting shows what became of it. */
  ended({ seq, data }) {
    const article = data.message ? this.#article(data.message) : this.#byRun(data.run);
    if (!article) return;
    if (data.message && article.dataset.status === "streaming") {
      Object.assign(article.dataset, { status: data.status, changed: seq });
      article.classList.remove("streaming");
      article.removeAttribute("aria-busy");
      textNode(article).data = data.text;
    }
    this.#refresh(article.dataset.message);
  }

  /** Edited, deleted, pinned, rated, or chosen among answers: as the server has it now. */
  changed(message) {
    this.#refresh(message);
  }

  /** Everything anew, as the server has it. */
  rebuild() {
    this.#wanted.clear();
    this.#partials.fetch(`${this.#base}m/`);
  }

  /** Puts older messages on top. @returns {Promise<void>} rejects where there is no network */
  async older(link, getPartial, keeping) {
    const fragment = await getPartial(`${this.#base}m/${new URL(link.href).search}`);
    if (!fragment) return location.assign(link.href);
    this.#dress(fragment);
    keeping(() => link.replaceWith(fragment));
  }

  /** There is a connection again: what could not be fetched is. */
  retry() {
    this.#partials.retry();
  }

  // Events of one batch ask together.
  #refresh(message) {
    if (this.#wanted.size === 0) queueMicrotask(() => this.#fetchWanted());
    this.#wanted.add(message);
  }

  #fetchWanted() {
    if (this.#wanted.size > FROM_SCRATCH) return this.rebuild();
    for (const message of this.#wanted) this.#partials.fetch(`${this.#base}m/${message}/`);
    this.#wanted.clear();
  }

  #show(url, fragment) {
    this.#dress(fragment);
    if (url === `${this.#base}m/`) return this.#replaceAll(fragment);
    const fresh = fragment.querySelector("[data-message]");
    const shown = fresh && this.#placeFor(fresh);
    if (!shown || "editing" in shown.dataset || isOlder(fresh, shown)) return;
    if (fresh.dataset.status === "hidden") shown.remove();
    else if (fresh.dataset.status === "streaming" && fresh.dataset.message === shown.dataset.message) {
      if (shown.dataset.status === "streaming") replaceSteps(shown, fresh);
    } else replaceKeepingFocus(shown, fresh);
  }

  // Where a message is on screen; one that was chosen takes the place of its alternative.
  #placeFor(fresh) {
    const { message, group } = fresh.dataset;
    return this.#article(message) ?? ("selected" in fresh.dataset ? this.#byGroup(group) : null);
  }

  // A running answer may have grown on screen while the page was rendered, and things may have happened since; what
  // is being edited stays.
  #replaceAll(fragment) {
    const head = Number(fragment.querySelector("[data-head]").dataset.head);
    const newer = [...this.#articles].filter((one) => Number(one.dataset.changed) > head || "editing" in one.dataset);
    for (const [run, text] of Object.entries(this.running)) {
      const fresh = fragment.querySelector(`[data-status=streaming][data-run="${run}"]`);
      if (fresh && text.startsWith(textOf(fresh))) textNode(fresh).data = text;
    }
    this.#root.replaceChildren(fragment);
    for (const article of newer) this.#keep(article);
  }

  #keep(article) {
    const { message, group } = article.dataset;
    const rendered = this.#article(message) ?? (group && this.#byGroup(group));
    if (rendered) rendered.replaceWith(article);
    else this.#place(article);
  }

  #insert(article, { message, seq, changed, at, name }) {
    article.id = `m-${message}`;
    Object.assign(article.dataset, { message, seq, changed });
    if (!article.matches(".mine")) article.querySelector(".author").textContent = name;
    setTime(article.querySelector("time"), at);
    this.#place(article);
  }

  #place(article) {
    const before = [...this.#articles].reverse().find((one) => Number(one.dataset.seq) < Number(article.dataset.seq));
    if (before) before.after(article);
    else this.#root.append(article);
  }

  // Where something else was said in between, an answer says what it answers.
  #nameQuestion(article, question) {
    const before = [...this.#articles].filter((one) => one.matches(".user") && one !== article).at(-1);
    const asked = this.#article(question);
    if (!asked || asked === before) return;
    const link = article.querySelector(".asked");
    link.href = `#m-${question}`;
    link.textContent = asked.querySelector(".prose, .text").textContent.trim().slice(0, WORDS_LENGTH);
    link.hidden = false;
  }

  // What lies before the oldest message on screen comes with "older messages".
  #isRecent(seq) {
    const first = this.#root.querySelector("[data-message]");
    return !first || seq > Number(first.dataset.seq);
  }

  get #articles() {
    return this.#root.querySelectorAll("[data-message]");
  }

  #article(message) {
    return this.#root.querySelector(`[data-message="${message}"]`);
  }

  #byGroup(group) {
    return this.#root.querySelector(`[data-group="${group}"]`);
  }

  // Both the question and the answer name the run; the answer is the later one.
  #byRun(run) {
    return [...this.#root.querySelectorAll(`[data-run="${run}"]`)].at(-1);
  }

  #removeBegun(root) {
    for (const note of root.querySelectorAll("[data-queued]")) if (this.#begun.has(note.dataset.queued)) note.remove();
  }

  #dress(root) {
    this.#removeBegun(root);
    showTimes(root);
    addCopyButtons(root);
    dressActs(root);
  }
}

// What one person says to others in plain words looks as the server would render it: fifty people in a conversation
// need not ask for it fifty times.
function needsNoServer(actor, { text, run, parts, custom }) {
  return actor.kind === "user" && !run && !parts?.length && !custom?.length && isPlain(text);
}

// What was rendered before something happened that is on screen already: what comes after it is on its way.
function isOlder(fresh, shown) {
  return Number(fresh.dataset.changed) < Number(shown.dataset.changed);
}

// Whoever has just pressed a button below it, or is about to, does not lose it.
function replaceKeepingFocus(shown, fresh) {
  const { act } = shown.contains(document.activeElement) ? document.activeElement.dataset : {};
  shown.replaceWith(fresh);
  if (!act) return;
  const same = fresh.querySelector(`[data-act="${act}"]:not(:disabled)`);
  (same ?? fresh.querySelector(".acts button:not(:disabled)"))?.focus();
}

// Text apart, which grows by itself. A question that somebody is answering stays as it is.
function replaceSteps(shown, fresh) {
  shown.querySelector("[data-steps]").replaceWith(fresh.querySelector("[data-steps]"));
  for (const form of shown.querySelectorAll("[data-answer]")) {
    const same = fresh.querySelector(`[data-ask="${form.closest("[data-ask]").dataset.ask}"]:has([data-answer])`);
    same?.replaceWith(form.closest("[data-ask]"));
  }
  shown.querySelector("[data-asks]").replaceWith(fresh.querySelector("[data-asks]"));
}

function textOf(article) {
  return article.querySelector("[data-text]")?.textContent ?? "";
}

/** The one text node of an article that shows plain text. */
function textNode(article) {
  const holder = article.querySelector("[data-text]");
  if (!holder.firstChild) holder.append("");
  return holder.firstChild;
}
