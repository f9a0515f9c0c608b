import { csrfToken, say } from "./page.js";
import { markup } from "./markup.js";

/** The forms in which people answer what a run asks: sent without leaving the page. Plain forms otherwise. */
export class Asks {
  #onNote;
  #onAnswered;

  /** @param {{root: HTMLElement, onNote: (text: string) => void, onAnswered: () => void}} options */
  constructor({ root, onNote, onAnswered }) {
    this.#onNote = onNote;
    this.#onAnswered = onAnswered;
    root.addEventListener("submit", (event) => this.#submitted(event));
  }

  async #submitted(event) {
    if (!event.target.matches("[data-answer]")) return;
    event.preventDefault();
    const form = event.target;
    if (form.getAttribute("aria-busy") === "true") return;
    const body = new URLSearchParams(new FormData(form, event.submitter));
    body.set("partial", "1");
    form.setAttribute("aria-busy", "true");
    const answer = await this.#send(form.action, body);
    form.removeAttribute("aria-busy");
    if (answer === null) this.#onNote(say("act_unreachable"));
    else if (answer.status === 204) this.#onAnswered(); // what was answered comes as an event, here and elsewhere
    else if (answer.status === 400) this.#showErrors(form, await answer.text());
    else location.reload(); // gone, or logged out
  }

  async #send(url, body) {
    try {
      const answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() }, redirect: "manual" });
      return answer.status >= 500 || answer.status === 429 ? null : answer;
    } catch {
      return null;
    }
  }

  #showErrors(form, html) {
    const holder = document.createElement("template");
    holder.innerHTML = markup(html); // rendered by the server
    const fresh = holder.content.querySelector("[data-ask]");
    form.closest("[data-ask]").replaceWith(fresh);
    (fresh.querySelector("[aria-invalid=true]") ?? fresh.querySelector("button"))?.focus();
  }
}
