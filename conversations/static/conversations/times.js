/** Times in the reader's own zone; the server writes them in UTC for who has no JavaScript. */

const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const old = new Intl.DateTimeFormat(language, { year: "numeric", month: "short", day: "numeric" });
const soon = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });

const WEEK_MS = 6 * 24 * 3600 * 1000;

/** Fills every `<time data-time>` below `root`. */
export function showTimes(root) {
  for (const element of root.querySelectorAll("time[data-time][datetime]")) show(element);
}

/** Sets the time of one element. */
export function setTime(element, at) {
  element.dateTime = at;
  show(element);
}

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  element.textContent = (FORMS[element.dataset.time] ?? withDay)(moment);
  element.title = full.format(moment);
}

const FORMS = { short, date: (moment) => soon.format(moment) };

function short(moment) {
  if (isToday(moment)) return clock.format(moment);
  return older(moment);
}

function withDay(moment) {
  if (isToday(moment)) return clock.format(moment);
  return `${older(moment)}, ${clock.format(moment)}`;
}

function older(moment) {
  const now = new Date();
  if (now - moment < WEEK_MS) return weekday.format(moment);
  return (moment.getFullYear() === now.getFullYear() ? day : old).format(moment);
}

function isToday(moment) {
  return moment.toDateString() === new Date().toDateString();
}
