import assert from "node:assert/strict";
import test from "node:test";
import { countCodePoints } from "../../realtime/static/realtime/codepoints.js";
import { FakeClock } from "./support/clock.mjs";
import { seeded, seeds } from "./support/random.mjs";
import { SimulatedServer, pump } from "./support/server.mjs";
import { ROOM, stage } from "./support/stage.mjs";

const LETTERS = ["a", "b", " ", "é", "漢", "字", "😀", "👩", "\u200d", "🇩", "\u0301", "\n", "𝒳"];

/** What a page holds: the events in order, and the text of every answer. Checks on its way what must always hold. */
class Page {
  events = [];
  texts = new Map();
  resyncs = 0;

  constructor(room, server, hint) {
    this.hint = hint;
    room.on("event", (event) => this.#apply(event));
    room.on("delta", (delta) => this.#grow(delta, server));
    room.on("resync", ({ snapshot }) => {
      this.resyncs += 1;
      this.events = snapshot ? [...snapshot.state.events] : [];
      this.texts.clear();
    });
  }

  #apply(event) {
    const last = this.events.at(-1)?.seq;
    assert.ok(last === undefined || event.seq === last + 1, `${this.hint}: event ${event.seq} after ${last}`);
    this.events.push(event);
  }

  #grow({ run, offset, text, full }, server) {
    const before = this.texts.get(run) ?? "";
    assert.equal(countCodePoints(before), offset, `${this.hint}: a piece begins where the text ends`);
    assert.equal(full, before + text, this.hint);
    assert.ok(server.textOf(run).startsWith(full), `${this.hint}: what is held is a prefix of what is stored`);
    this.texts.set(run, full);
  }
}

function happen(random, server, room, sent) {
  const running = [...server.runs].filter(([, { ended }]) => !ended).map(([run]) => run);
  const text = () => Array.from({ length: random.between(0, 60) }, () => random.pick(LETTERS)).join("");
  const dice = random.next();
  if (dice < 0.25) server.append({});
  else if (dice < 0.3) for (let n = random.between(1, 300); n > 0; n -= 1) server.append({});
  else if (dice < 0.4) server.startRun(`run${server.epoch}-${server.head}`, text());
  else if (dice < 0.7 && running.length) server.write(random.pick(running), random.between(1, 9));
  else if (dice < 0.75 && running.length) server.endRun(random.pick(running), random.pick(["completed", "stopped", "interrupted"]));
  else if (dice < 0.85) sent.push(room.send(text() || "."));
  else if (dice < 0.9) server.cut(random.pick([1006, 1001, 4001, 4002, 4003, 4005]));
  else server.heartbeat();
}

function assertSameLog(held, stored, hint) {
  const differs = stored.findIndex((event, at) => JSON.stringify(event) !== JSON.stringify(held[at]));
  assert.equal(differs, -1, `${hint}: differs from the log at ${stored[differs]?.seq}`);
  assert.equal(held.length, stored.length, hint);
}

function announced(t, list) {
  t.diagnostic(`seeds ${list[0]} to ${list.at(-1)}; SEED=n runs one, SEEDS=n that many`);
  return list;
}

async function liveThrough(seed, { backups = false } = {}) {
  const random = seeded(seed);
  const clock = new FakeClock();
  const chaos = { lose: 0.15, double: 0.1, reorder: 0.2, refuse: 0.1 };
  const server = new SimulatedServer({ clock, random, chaos });
  const scene = stage({ clock, random: random.next });
  const room = scene.client.join(ROOM, { seq: 0 });
  const page = new Page(room, server, `SEED=${seed}`);
  const sent = [];
  scene.client.connect();

  for (let step = 0; step < 150; step += 1) {
    happen(random, server, room, sent);
    if (backups && random.chance(0.03)) server.restoreBackup(random.between(0, 20));
    const up = !random.chance(0.2);
    await pump(scene, server, random.pick([0, 50, 100, 500, 3000]), { step: 50, up: () => up });
  }
  server.heal();
  await pump(scene, server, 120_000, { step: 500 });
  for (const [run, { ended }] of server.runs) if (!ended) server.endRun(run);
  server.heartbeat();
  await pump(scene, server, 60_000, { step: 500 });
  return { server, page, room, sent };
}

test("lost, doubled and reordered frames: the log and the texts end up exact", async (t) => {
  for (const seed of announced(t, seeds(40))) {
    const { server, page, room, sent } = await liveThrough(seed);
    const hint = `SEED=${seed}`;
    assertSameLog(page.events, server.log, hint);
    assert.equal(room.seq, server.head, hint);
    for (const [run, text] of page.texts) assert.ok(server.textOf(run).startsWith(text), hint);
    assert.deepEqual(room.unsent, [], `${hint}: everything is acknowledged`);
    for (const { cmid, acknowledged } of sent) {
      const stored = server.log.filter((event) => event.cmid === cmid);
      assert.equal(stored.length, 1, `${hint}: ${cmid} is stored once`);
      assert.equal((await acknowledged).seq, stored[0].seq, hint);
    }
    const order = sent.map(({ cmid }) => server.log.find((event) => event.cmid === cmid).seq);
    assert.deepEqual(order, [...order].sort((a, b) => a - b), `${hint}: sent in the order of writing`);
  }
});

test("and where backups are played in, no two numberings are ever mixed", async (t) => {
  for (const seed of announced(t, seeds(40))) {
    const { server, page, room } = await liveThrough(seed, { backups: true });
    const hint = `SEED=${seed}`;
    assert.equal(room.epoch, `e${server.epoch}`, hint);
    assert.equal(room.seq, server.head, hint);
    const first = page.events[0]?.seq ?? 1;
    assertSameLog(page.events, server.log.slice(first - 1), hint);
  }
});
