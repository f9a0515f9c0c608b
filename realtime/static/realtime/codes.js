/** Why a connection ended, by close code (PROTOCOL 4 "Close codes"). */
const CLOSE_REASONS = {
  1009: "too_large",
  4001: "drain",
  4002: "heartbeat",
  4003: "slow",
  4004: "token_expired",
  4005: "insufficient_state",
  4029: "rate_limited",
  4500: "bad_frame",
  4501: "unauthenticated",
  4503: "forbidden",
  4509: "too_many_errors",
};

export const TOO_LARGE = 1009;
export const TOKEN_EXPIRED = 4004;
export const INSUFFICIENT_STATE = 4005;

/** Codes of errors after which the same may work later (PROTOCOL 6). */
export const RETRYABLE = new Set(["conversation_busy", "rate_limited", "room_full", "unavailable", "internal"]);

/** The largest frame that the server takes, in bytes (PROTOCOL 4). */
export const MAX_FRAME_BYTES = 64 * 1024;

/** What is larger goes as a request, where that can be had; no message comes near this. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** `joined.reason` and `welcome.resumed[].reason` after which a `resync` follows. */
export const RESYNC_REASONS = new Set(["epoch", "ahead", "too_far", "expired"]);

/** 4500 and up ends the whole session: trying again would end the same way. */
export function isFinal(code) {
  return code >= 4500 && code <= 4999;
}

export function reasonOf(code) {
  return CLOSE_REASONS[code] ?? (isFinal(code) ? "refused" : "network");
}
