import { uuid7 } from "../realtime/ids.js";
import { csrfToken } from "./page.js";

/** Why a file was not taken: `code` of the registry, or "failed" where the server could not be asked. */
export class UploadError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * One upload, which may be tried again: the same key makes that harmless. XMLHttpRequest, because fetch cannot tell how
 * much has gone out.
 */
export class Upload {
  #file;
  #key = uuid7();
  #request = null;

  /** @param {File} file */
  constructor(file) {
    this.#file = file;
  }

  /**
   * @param {string} conversation
   * @param {(share: number) => void} onProgress  from 0 to 1
   * @returns {Promise<{id: string, name: string}>} rejects with an UploadError
   */
  send(conversation, onProgress) {
    const body = new FormData();
    body.append("conversation", conversation);
    body.append("file", this.#file);
    return new Promise((resolve, reject) => {
      const request = (this.#request = new XMLHttpRequest());
      request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
      request.addEventListener("load", () => answered(request, resolve, reject));
      request.addEventListener("error", () => reject(new UploadError("failed")));
      request.addEventListener("abort", () => reject(new UploadError("aborted")));
      request.open("POST", "/api/v1/files/");
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("Idempotency-Key", this.#key);
      request.send(body);
    });
  }

  abort() {
    this.#request?.abort();
  }
}

/** Takes back what no message will carry; what is forgotten here the server clears away itself. */
export function takeBack(id) {
  fetch(`/api/v1/files/${id}/`, { method: "DELETE", headers: { "X-CSRFToken": csrfToken() } }).catch(() => {});
}

function answered(request, resolve, reject) {
  const body = parsed(request.responseText);
  if (request.status === 201) resolve(body);
  else reject(new UploadError(request.status >= 500 ? "failed" : (body.code ?? "failed")));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
