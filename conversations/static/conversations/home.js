/** The page that begins a conversation: by its first message, which is kept here until the server has it. */
import { Composer } from "./composer.js";
import { ConversationList } from "./list.js";
import { NewConversation } from "./new.js";

const { user, api, thread } = document.body.dataset;

new ConversationList(document.getElementById("list"));
const beginning = new NewConversation({
  root: document.getElementById("unsent"),
  storage: localStorage,
  key: `new:${user}`,
  api,
  onBegun: (id) => location.assign(`${thread}${id}/`),
  onEdit: (text) => composer.put(text),
});
const composer = new Composer(document.querySelector("[data-composer]"), {
  onSend: (text, form) => beginning.send({ message: text, assistant: form.elements.assistant.value }),
});
beginning.resume();
