/** What all scripts of a page share: its words, its templates, and talking to the server that rendered it. */

import { markup } from "./markup.js";

const json = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "{}");

export const texts = json("texts");
export const assistants = json("assistants");

/** A text with its `{places}` filled. */
export function say(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** What people read for an error code. */
export function reason(code) {
  return texts.codes[code] ?? texts.codes.other;
}

export function assistantName(name) {
  return assistants[name] ?? name;
}

/** The one element inside `<template id="t-…">`, cloned. */
export function clone(id) {
  return document.getElementById(`t-${id}`).content.firstElementChild.cloneNode(true);
}

/** Django's token, as it is now: logging in elsewhere changes it. */
export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/** Sends a form's fields as the form itself would. */
export function postForm(url, fields) {
  const body = new URLSearchParams(fields);
  return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() }, redirect: "manual" });
}

/** Calls the API as whoever is logged in. */
export function callApi(method, url, value, headers = {}) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const all = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), ...headers };
  return fetch(url, { method, body, headers: all });
}

/**
 * A piece of the page, rendered by the server.
 * @returns {Promise<DocumentFragment|null>} null where it is not to be had (any more); rejects where there is no network
 */
export async function getPartial(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (response.status >= 500 || response.status === 429) throw new Error(`status ${response.status}`);
  if (!response.ok || response.redirected) return null; // gone, or logged out
  const holder = document.createElement("template");
  holder.innerHTML = markup(await response.text());
  for (const other of holder.content.querySelectorAll("noscript")) other.remove(); // in a template its content is elements
  return holder.content;
}
