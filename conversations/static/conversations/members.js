import { call, callAll } from "./calls.js";
import { clone, say, texts } from "./page.js";
import { Panel } from "./panel.js";

/** The dialog of who takes part: shows them to everybody, lets the owner change them, and others leave. */
export class Members extends Panel {
  #api;
  #me;
  #leaving;
  #others;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {object} options
   * @param {string} options.api  address of the members in the API
   * @param {string} options.me  id of the user whose page this is
   * @param {{ask: () => Promise<boolean>}} options.leaving
   * @param {HTMLElement} options.others  where the page names the others
   */
  constructor(dialog, { api, me, leaving, others }) {
    super(dialog);
    this.#api = api;
    this.#me = me;
    this.#leaving = leaving;
    this.#others = others;
  }

  async fill() {
    const members = await callAll(this.#api);
    this.list.replaceChildren(...members.map((member) => this.#line(member)));
    const names = members.filter(({ user }) => user.id !== this.#me).map(({ user }) => user.name);
    this.#others.textContent = names.length ? say("with_others", { names: names.join(", ") }) : "";
    this.#others.hidden = !names.length;
  }

  async add(fields) {
    await call("POST", this.#api, { user: fields.get("user").trim(), role: fields.get("role") });
    this.form.reset();
    this.form.elements.user.focus();
    await this.fill();
  }

  reason(error) {
    return texts.members[error.code] ?? super.reason(error);
  }

  #line({ user, role }) {
    const line = clone("member");
    const [select, remove, leave] = ["select", "[data-remove]", "[data-leave]"].map((one) => line.querySelector(one));
    const mine = user.id === this.#me;
    const manages = Boolean(this.form) && role !== "owner";
    line.querySelector(".name").textContent = mine ? say("you_named", { name: user.name }) : user.name;
    line.querySelector(".role").textContent = texts.roles[role];
    line.querySelector(".role").hidden = manages;
    select.hidden = remove.hidden = !manages;
    leave.hidden = !mine || role === "owner";
    select.value = role;
    select.setAttribute("aria-label", say("role_of", { name: user.name }));
    remove.setAttribute("aria-label", say("remove_member", { name: user.name }));
    select.addEventListener("change", () => this.#change(user.id, select.value));
    remove.addEventListener("click", () => this.doing(() => this.#remove(user.id)));
    leave.addEventListener("click", () => this.doing(() => this.#leave()));
    return line;
  }

  // What was chosen and refused must not stay on screen.
  async #change(user, role) {
    await this.doing(() => call("PATCH", `${this.#api}${user}/`, { role }).catch((error) => this.fill().then(() => Promise.reject(error))));
  }

  async #remove(user) {
    await call("DELETE", `${this.#api}${user}/`);
    await this.fill();
    this.dialog.focus();
  }

  async #leave() {
    if (!(await this.#leaving.ask())) return;
    await call("DELETE", `${this.#api}${this.#me}/`);
    location.assign("/");
  }
}
