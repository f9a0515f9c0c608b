/** The page of a live share: what is said next appears by itself. */
import { markup } from "./markup.js";
import { assistantName, clone } from "./page.js";
import { setTime, showTimes } from "./times.js";

const messages = document.getElementById("messages");
const find = (id) => document.getElementById(`m-${id}`);
const codePoints = (text) => [...text];

const source = new EventSource(document.body.dataset.events);
const on = (name, handle) => source.addEventListener(name, (event) => handle(JSON.parse(event.data)));

on("title", ({ title }) => {
  if (!title) return;
  document.getElementById("title").textContent = document.title = title;
});
on("message", (message) => {
  const article = find(message.id) ?? place(clone("message"), message);
  fill(article, message);
  document.getElementById("nothing")?.remove();
});
on("gone", ({ message }) => find(message)?.remove());
on("delta", ({ message, offset, text }) => {
  const area = find(message)?.querySelector("[data-text]");
  const held = codePoints(area?.textContent ?? "").length;
  if (area && offset <= held) area.append(codePoints(text).slice(held - offset).join(""));
});
on("ended", () => over("ended"));
// An `error` that the server sends has data; one of the connection has none. Both are tried again, unless it refused.
source.addEventListener("error", (event) => {
  const refused = event.data ? JSON.parse(event.data).code !== "unavailable" : source.readyState === EventSource.CLOSED;
  if (refused) over("lost");
});

function over(why) {
  source.close();
  const line = document.getElementById("over");
  line.querySelector("span").textContent = line.dataset[why];
  line.querySelector("a").hidden = why === "ended";
  line.hidden = false;
  if (why === "lost") return;
  messages.replaceChildren();
  document.getElementById("title").hidden = true;
  document.title = line.dataset.ended;
}

function place(article, { id, place: at }) {
  article.id = `m-${id}`;
  article.dataset.place = at;
  const next = [...messages.children].find((other) => Number(other.dataset.place) > at);
  messages.insertBefore(article, next ?? null);
  return article;
}

function fill(article, message) {
  const running = message.status === "streaming";
  const [prose, text, files] = [".prose", "[data-text]", ".files"].map((part) => article.querySelector(part));
  article.className = `message ${message.role} ${message.status}`;
  article.querySelector(".author").textContent = name(message);
  article.querySelector(".mark").hidden = !message.edited_at;
  setTime(article.querySelector("time"), message.created_at);
  prose.innerHTML = markup(message.html); // sanitised by the server
  text.textContent = running ? message.text : "";
  prose.hidden = running;
  text.hidden = !running;
  files.replaceChildren(...message.files.map((file) => Object.assign(document.createElement("li"), { textContent: file.name })));
  files.hidden = !message.files.length;
}

function name({ role, author }) {
  return role === "assistant" ? assistantName(author.name) : author.name;
}

showTimes(document);
