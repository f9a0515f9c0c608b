/** The page that begins a conversation: by its first message, which is kept here until the server has it. */
import { Attachments } from "./attachments.js";
import { Composer } from "./composer.js";
import { ConversationList } from "./list.js";
import { NewConversation } from "./new.js";
import { Place } from "./place.js";

const { user, api, thread } = document.body.dataset;
const form = document.querySelector("[data-composer]");
const goTo = (id) => location.assign(`${thread}${id}/`);

new ConversationList(document.getElementById("list"));
const beginning = new NewConversation({
  root: document.getElementById("unsent"),
  storage: localStorage,
  key: `new:${user}`,
  api,
  onBegun: goTo,
  onEdit: (text) => composer.put(text),
});
const chosen = () => ({ assistant: form.elements.assistant.value, temporary: form.elements.temporary.checked });
const place = new Place({ api, user, body: chosen });
const composer = new Composer(form, {
  attachments: new Attachments(form, { conversation: () => place.conversation(), eager: false }),
  onSend(text, _form, parts) {
    if (parts.length) return void place.say(text, parts).then(goTo);
    beginning.send({ message: text, ...chosen() });
  },
});
beginning.resume();
