import { callApi } from "./page.js";

/** The server did not do it; `problem` is what it said. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.code);
    this.code = problem.code;
    this.problem = problem;
  }
}

/** Calls the API; gives what it answers, or throws Refused, or TypeError without network. */
export async function call(method, url, body, headers) {
  const response = await callApi(method, url, body, headers);
  const answer = response.status === 204 ? null : await response.json().catch(() => ({ code: "other" }));
  if (!response.ok) throw new Refused(answer);
  return answer;
}

/** All entries of a list that comes in pages. */
export async function callAll(url) {
  const found = [];
  for (let next = `${url}?limit=200`; next; ) {
    const page = await call("GET", next);
    found.push(...page.results);
    next = page.next && new URL(page.next).pathname + new URL(page.next).search;
  }
  return found;
}
