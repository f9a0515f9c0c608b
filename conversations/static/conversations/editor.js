import { excuse } from "./acts.js";
import { markup } from "./markup.js";
import { clone, say } from "./page.js";

/**
 * Changing one's own message in its place. If somebody changed it meanwhile, that version is shown and what was
 * typed is kept.
 */
export class Editor {
  #api;
  #onChanged;
  #onNote;

  /**
   * @param {object} options
   * @param {import("./messages.js").Messages} options.api
   * @param {(message: string) => void} options.onChanged
   * @param {(text: string) => void} options.onNote
   */
  constructor({ api, onChanged, onNote }) {
    this.#api = api;
    this.#onChanged = onChanged;
    this.#onNote = onNote;
  }

  /** @param {HTMLElement} article */
  async open(article) {
    if ("editing" in article.dataset) return;
    const current = await this.#api.get(article.dataset.message);
    const form = clone("edit");
    article.dataset.editing = current.changed_seq; // the thread leaves it alone meanwhile
    article.append(form);
    form.elements.text.value = current.text;
    form.dataset.run = queuedRun(article);
    form.addEventListener("submit", (event) => this.#submitted(event, article));
    form.addEventListener("keydown", (event) => this.#pressed(event, article));
    form.querySelector("[data-cancel]").addEventListener("click", () => this.#close(article));
    form.elements.text.focus();
  }

  async #submitted(event, article) {
    event.preventDefault();
    const { message, editing } = article.dataset;
    try {
      await this.#api.edit(message, event.target.elements.text.value, editing, event.target.dataset.run);
      this.#close(article);
    } catch (error) {
      if (error.code === "stale") this.#showCurrent(article, error.problem.message);
      else this.#showFailure(article, error.code === "conflict" ? say("too_late") : excuse(error));
    }
  }

  #showCurrent(article, current) {
    article.dataset.editing = current.changed_seq;
    const box = article.querySelector(".stale");
    box.querySelector(".prose").innerHTML = markup(current.html); // sanitised by the server
    box.hidden = false;
    article.querySelector(".editing > .failed").hidden = true;
  }

  #showFailure(article, text) {
    const line = article.querySelector(".editing > .failed");
    line.textContent = text;
    line.hidden = false;
  }

  #pressed(event, article) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      this.#close(article);
    } else if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
      event.preventDefault();
      event.currentTarget.requestSubmit();
    }
  }

  #close(article) {
    delete article.dataset.editing;
    article.querySelector(".editing").remove();
    article.querySelector("[data-act=edit]")?.focus();
    this.#onChanged(article.dataset.message);
  }
}

// What waits for its answer is changed only as long as it waits.
function queuedRun(article) {
  return article.querySelector("[data-queued]")?.dataset.queued ?? "";
}
