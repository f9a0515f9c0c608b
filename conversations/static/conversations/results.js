/** Pages of results and of earlier states: their times in the reader's own time zone, and the list of conversations up to date. */
import { ConversationList } from "./list.js";
import { showTimes } from "./times.js";

new ConversationList(document.getElementById("list"));
showTimes(document.getElementById("main"));
