const policy = globalThis.trustedTypes?.createPolicy("conversations", { createHTML: (html) => html });

/** HTML that our server made, as a value that may become markup: browsers that know Trusted Types take no other. */
export const markup = (html) => (policy ? policy.createHTML(html) : html);
