/** After this many tries in vain the client says "offline" (and goes on). */
export const TRIES = 5;

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
const SPREAD_MS = 500;

/**
 * How long to wait before try number `attempt` (1 = the first after a loss), PROTOCOL 4 "Reconnecting client":
 * 1, 2, 4, 8, 16 s, each ± 0.5 s; then every 30 s with full jitter, so that a thousand clients do not come at once.
 */
export function waitBefore(attempt, random = Math.random) {
  if (attempt > TRIES) return random() * LONGEST_MS;
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return wait + (random() * 2 - 1) * SPREAD_MS;
}
