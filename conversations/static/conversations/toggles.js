// What was asked for, by message and button, until the server has answered: shown at once, and what a next click undoes.
const asked = new Map();
const last = new Map(); // message → its last request, after which the next one goes

/**
 * Press or release a button: on screen at once, at the server after what was clicked before.
 * @param {HTMLElement} button
 * @param {(on: boolean) => Promise<unknown>} call  tells the server
 * @returns {Promise<void>} rejects where the server did not do it; then the button is as before
 */
export async function toggle(button, call) {
  const { message } = button.closest("[data-message]").dataset;
  const { act } = button.dataset;
  const on = button.getAttribute("aria-pressed") !== "true";
  const mine = { act, message, on };
  asked.delete(keyOf(mine)); // what is clicked last is shown last
  asked.set(keyOf(mine), mine);
  show(button, on);
  const request = (last.get(message) ?? Promise.resolve()).then(() => call(on));
  const done = request.catch(() => {}); // the one after it goes all the same
  last.set(message, done);
  try {
    await request;
  } catch (error) {
    if (asked.get(keyOf(mine)) === mine) showIn(document, mine, !on);
    throw error;
  } finally {
    if (asked.get(keyOf(mine)) === mine) asked.delete(keyOf(mine));
    if (last.get(message) === done) last.delete(message);
  }
}

/** What is rendered while the server has not answered shows what was asked for. */
export function dressToggles(root) {
  for (const one of asked.values()) showIn(root, one, one.on);
}

function keyOf({ message, act }) {
  return `${message} ${act}`;
}

function showIn(root, { message, act }, on) {
  const button = root.querySelector(`[data-message="${message}"] [data-act=${act}]`);
  if (button) show(button, on);
}

// A rating is one of two.
const RIVALS = { like: "dislike", dislike: "like" };

function show(button, on) {
  button.setAttribute("aria-pressed", on);
  const rival = on && button.parentElement.querySelector(`[data-act=${RIVALS[button.dataset.act]}]`);
  if (rival) rival.setAttribute("aria-pressed", false);
}
