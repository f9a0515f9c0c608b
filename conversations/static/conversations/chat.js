/** The page of one conversation: puts together what the other files do. */
import { Client } from "../realtime/client.js";
import { Acts } from "./acts.js";
import { Attachments } from "./attachments.js";
import { BusyChoice } from "./busy.js";
import { Composer } from "./composer.js";
import { ConnectionLine } from "./connection.js";
import { Comment, Question, Versions } from "./dialogs.js";
import { Editor } from "./editor.js";
import { ConversationList } from "./list.js";
import { Members } from "./members.js";
import { Asks } from "./asks.js";
import { closeMenus } from "./menus.js";
import { Messages } from "./messages.js";
import { Notice } from "./notice.js";
import { assistantName, getPartial, postForm, say, texts } from "./page.js";
import { Queue } from "./queue.js";
import { Scroller } from "./scroller.js";
import { Shares } from "./shares.js";
import { Standing } from "./standing.js";
import { StopButtons } from "./stops.js";
import { Thread } from "./thread.js";
import { TypingLine } from "./typing.js";
import { Unsent } from "./unsent.js";

const READ_MS = 1000;
const { user, conversation, epoch, seq, base, api } = document.body.dataset;
const $ = (id) => document.getElementById(id);

const thread = new Thread({ root: $("messages"), base, reader: user });
const client = new Client({ url: "/ws/", storage: localStorage, user });
const room = client.join(conversation, { epoch, seq: Number(seq), runs: thread.running });
const list = new ConversationList($("list"), conversation);
const scroller = new Scroller({ area: $("main"), button: $("latest") });
const line = new ConnectionLine($("connection"), { onAgain: () => client.connect() });
const typing = new TypingLine($("typing"), user);
const unsent = new Unsent({ root: $("unsent"), onEdit: (text, parts) => composer?.put(text, parts) });
const stops = new StopButtons({ root: $("stops"), onStop: (run) => room.stop(run).catch(() => location.reload()) });
const messages = new Messages(api);
const notice = new Notice($("notice"));
const standing = new Standing($("standing"), base);
const calls = { api: messages, onChanged: (message) => thread.changed(message), onNote: (text) => notice.show(text) };
new Acts({
  ...calls,
  root: $("messages"),
  editor: new Editor(calls),
  deleting: new Question($("deleting")),
  comment: new Comment($("commenting"), messages),
  versions: new Versions($("versions"), messages),
});
const of = (what) => api.replace(/messages\/$/, `${what}/`);
const members = new Members($("members"), { api: of("members"), me: user, leaving: new Question($("leaving")), others: $("others") });
if ($("shares")) new Shares($("shares"), of("shares"));
const isOld = "old" in document.body.dataset;
const form = !isOld && document.querySelector("[data-composer]"); // what is said on an old page leads to the newest
const attachments = form && new Attachments(form, { conversation: async () => conversation });
const composer = form && new Composer(form, { onSend: send, onTyping: (on) => room.typing(on), attachments });
const busy = form && new BusyChoice(form.querySelector("[data-on-busy]"));
new Queue({ root: $("messages"), onNote: (text) => notice.show(text) });
new Asks({ root: $("messages"), onNote: (text) => notice.show(text), onAnswered: () => composer?.focus() });
const mayStop = $("t-stop").dataset.may === "yes";

function send(text, _form, parts) {
  room.typing(false);
  const { cmid } = room.send(text, { ...(parts.length && { parts }), ...busy.take() });
  unsent.add({ cmid, text, parts }, room.joined);
  scroller.toEnd();
}

// ---- the log

const onEvent = {
  "message:new": (event) => {
    thread.said(event);
    typing.stopped(event.actor.id);
    if (event.cmid && event.actor.id === user) unsent.remove(event.cmid);
    if (event.data.run) busy?.began(event.data.run);
  },
  "run:queue": (event) => busy?.began(event.data.run),
  "run:start": (event) => {
    thread.began(event);
    thread.queueMoved();
    busy?.began(event.data.run);
    if (mayStop) stops.show(event.data.run);
    $("announce").textContent = say("answering", { name: assistantName(event.data.assistant) });
  },
  "run:step": (event) => thread.stepped(event),
  "run:ask": (event) => {
    thread.stepped(event);
    const { title = "", description = "" } = event.data.schema;
    $("announce").textContent = say("asks", { name: assistantName(event.actor.name), text: title || description });
  },
  "run:answer": (event) => thread.stepped(event),
  "run:end": (event) => {
    thread.ended(event);
    if (!event.data.message) thread.queueMoved();
    busy?.ended(event.data.run);
    if (stops.hide(event.data.run)) composer?.focus();
    announceEnd(event.data, thread.authorOf(event.data.message));
  },
  "message:edit": ({ data }) => thread.changed(data.message),
  "message:delete": ({ data }) => thread.changed(data.message),
  "message:pin": ({ data }) => thread.changed(data.message),
  "branch:select": ({ data }) => thread.changed(data.message),
  "message:feedback": ({ actor, data }) => actor.id === user && thread.changed(data.message),
  "conversation:restore": () => thread.rebuild(),
  "conversation:handoff": () => standing.changed(),
  "conversation:update": ({ data }) => {
    if ("status" in data) return location.reload();
    if ("title" in data && data.title) showTitle(data.title);
  },
  "member:add": () => members.changed(),
  "member:remove": () => members.changed(),
  "member:update": ({ data }) => (data.user === user ? location.reload() : members.changed()),
};
function announceEnd({ status, text }, name) {
  const words = { completed: "answered", stopped: "answer_stopped" }[status] ?? "answer_failed";
  $("announce").textContent = say(words, { name, text });
}

function showTitle(title) {
  $("title").textContent = title;
  document.title = document.title.replace(/^.*(?= · )/, () => title);
}

room.on("event", (event) => {
  if (event.data.erased) return location.reload();
  onEvent[event.type]?.(event);
  if (event.type === "message:new" && !event.data.run) list.said(event.at);
  else list.changed();
  readSoon();
});
room.on("delta", (piece) => thread.grew(piece));
room.on("resync", ({ snapshot }) => {
  thread.rebuild();
  busy?.only((snapshot?.state.runs ?? []).map((run) => run.id));
  stops.only(mayStop ? (snapshot?.state.runs ?? []).filter((run) => run.status !== "queued").map((run) => run.id) : []);
});

// ---- what is unsent

for (const item of room.unsent) unsent.add(item, false);
room.on("sent", ({ cmid, seq: at }) => at <= room.seq && unsent.remove(cmid));
room.on("failed", (error) => unsent.refused(error));

// ---- what goes less well

room.on("degraded", ({ run, plugin, reason }) => {
  const words = texts.degradations[reason] ?? (/\s/.test(reason) ? reason : texts.degradations.other);
  const text = say("degraded", { name: assistantName(plugin), reason: words });
  if (!thread.degraded(run, text)) notice.show(text);
});

// ---- who is writing

room.on("typing", (frame) => typing.typing(frame));

// ---- the connection

client.on("state", (state) => {
  line.show(state);
  if (state.state !== "online") unsent.connected(false);
});
room.on("joined", () => {
  thread.retry();
  standing.retry();
  unsent.connected(true);
  list.changed();
});
room.on("left", ({ reason }) => reason !== "asked" && line.ended(say("removed")));
client.on("session:expired", ({ message }) => line.notice(message));

// ---- what was read

let readTimer = null;
let readUpTo = Number(seq);

function readSoon() {
  if (document.visibilityState === "visible") readTimer ??= setTimeout(markRead, READ_MS);
}

function markRead() {
  readTimer = null;
  if (room.seq <= readUpTo) return;
  readUpTo = room.seq;
  // Event streams have no word for it.
  if (client.state.transport === "websocket") room.read(readUpTo);
  else postForm(`${base}read/`, { seq: readUpTo }).catch(() => (readUpTo = 0));
}
document.addEventListener("visibilitychange", readSoon);

// ---- older messages

$("messages").addEventListener("click", (event) => {
  const link = event.target.closest("[data-older]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  thread.older(link, getPartial, (change) => scroller.keeping(change)).catch(() => location.assign(link.href));
});

closeMenus();
if (!isOld) client.connect();
else if (!location.hash) location.replace(base); // live is only the newest page; a link to a message shows its place
