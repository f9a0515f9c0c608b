const PREFIX = "unsent";

/**
 * What is unsent, kept over a reload in anything that has the shape of `localStorage`. One key per message, so that two
 * tabs do not overwrite each other; both may send the same one, its `cmid` makes that harmless.
 * A full or forbidden storage is no reason to lose the message that is in memory.
 */
export class UnsentStore {
  #storage;
  /** Whose messages these are; nobody else's are ever read. null = not known yet. */
  user;

  constructor(storage = null, user = null) {
    this.#storage = storage;
    this.user = user;
  }

  put(conversation, item) {
    const value = JSON.stringify({ ...item, user: this.user });
    this.#quietly(() => this.#storage.setItem(keyOf(conversation, item.cmid), value));
  }

  remove(conversation, cmid) {
    this.#quietly(() => this.#storage.removeItem(keyOf(conversation, cmid)));
  }

  /** In the order in which they were written. */
  list(conversation) {
    const items = this.#quietly(() => this.#keys(conversation).map((key) => this.#read(key))) ?? [];
    return items.filter((item) => item && (item.user === null || item.user === this.user)).sort(byTime);
  }

  #keys(conversation) {
    const all = Array.from({ length: this.#storage.length }, (_, at) => this.#storage.key(at));
    return all.filter((key) => key.startsWith(keyOf(conversation, "")));
  }

  #read(key) {
    try {
      return JSON.parse(this.#storage.getItem(key));
    } catch {
      return null;
    }
  }

  #quietly(act) {
    try {
      return this.#storage ? act() : undefined;
    } catch {
      return undefined;
    }
  }
}

function keyOf(conversation, cmid) {
  return `${PREFIX}:${conversation}:${cmid}`;
}

function byTime(a, b) {
  return a.at - b.at || (a.cmid < b.cmid ? -1 : 1);
}
