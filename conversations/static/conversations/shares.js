import { call, callAll } from "./calls.js";
import { clone, say, texts } from "./page.js";
import { Panel } from "./panel.js";
import { setTime } from "./times.js";

/** The dialog of links for strangers: makes them, lists them, revokes them. */
export class Shares extends Panel {
  #api;

  /** @param {HTMLDialogElement} dialog  @param {string} api  address of the shares in the API */
  constructor(dialog, api) {
    super(dialog);
    this.#api = api;
    this.#made.querySelector("[data-copy]").addEventListener("click", () => this.doing(() => this.#copy()));
  }

  get #made() {
    return this.dialog.querySelector("[data-made]");
  }

  async open() {
    this.#made.hidden = true;
    await super.open();
  }

  async fill() {
    const shares = await callAll(this.#api);
    this.list.replaceChildren(...shares.map((share) => this.#line(share)));
    this.dialog.querySelector("[data-none]").hidden = shares.length > 0;
  }

  async add(fields) {
    const views = fields.get("max_views");
    const share = await call("POST", this.#api, {
      mode: fields.get("mode"),
      expires_in: Number(fields.get("expires_in")),
      ...(fields.get("password") && { password: fields.get("password") }),
      ...(views && { max_views: Number(views) }),
    });
    this.form.reset();
    this.#show(share.url);
    await this.fill();
  }

  reason(error) {
    return texts.shares[error.code] ?? super.reason(error);
  }

  #show(url) {
    const field = this.#made.querySelector("input");
    field.value = url;
    this.#made.hidden = false;
    this.#made.querySelector("[role=status]").textContent = "";
    this.#made.scrollIntoView({ block: "nearest" });
    field.focus();
    field.select();
  }

  // The clipboard is only there on https and on this machine; what is selected can be copied by hand everywhere.
  async #copy() {
    const field = this.#made.querySelector("input");
    field.select();
    if (!navigator.clipboard) return;
    await navigator.clipboard.writeText(field.value);
    this.#made.querySelector("[role=status]").textContent = say("copied");
  }

  #line(share) {
    const line = clone("share");
    line.querySelector(".name").textContent = texts.share_modes[share.mode];
    setTime(line.querySelector("[data-made-at]"), share.created_at);
    setTime(line.querySelector("[data-until]"), share.expires_at);
    line.querySelector("[data-locked]").hidden = !share.password;
    line.querySelector("[data-views]").textContent = opened(share);
    line.querySelector("[data-revoke]").addEventListener("click", () => this.doing(() => this.#revoke(share.id)));
    return line;
  }

  async #revoke(id) {
    await call("DELETE", `${this.#api}${id}/`);
    this.#made.hidden = true;
    await this.fill();
    this.dialog.focus();
  }
}

function opened({ views, max_views: most }) {
  if (most) return say("views_of", { n: views, most });
  return views === 1 ? say("views_one") : say("views", { n: views });
}
