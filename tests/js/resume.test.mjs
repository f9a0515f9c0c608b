import assert from "node:assert/strict";
import test from "node:test";
import { EPOCH, ROOM, delta, event, events, inRoom, joined, reconnected, runStart, seqs, welcomed } from "./support/stage.mjs";

const page = (ref, list, head = list.at(-1)?.seq ?? 0) => ({ type: "page", ref, conversation: ROOM, events: list, head });
const fetches = (socket) => socket.heard().filter(({ type }) => type === "fetch");
const resync = (fields) => ({
  type: "resync", conversation: ROOM, epoch: "e2", reason: "epoch", head: 3,
  snapshot: { seq: 3, state: { messages: [], runs: [], truncated: false } }, ...fields,
});

test("events are given out once and in order", async () => {
  const { wire, told, room } = await inRoom();
  wire.last.says(event(1), [event(2), event(3)], event(2));
  assert.deepEqual(seqs(told.event), [1, 2, 3]);
  assert.equal(room.seq, 3);
  assert.deepEqual(fetches(wire.last), []);
});

test("while an event is given out, the cursor stands at it", async () => {
  const { wire, room } = await inRoom();
  const seen = [];
  room.on("event", ({ seq }) => seen.push([seq, room.seq]));
  wire.last.says(event(2), event(1));
  assert.deepEqual(seen, [[1, 1], [2, 2]]);
});

test("a larger seq is kept, and what is missing is fetched with one request", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(event(1), event(4), event(5), event(7));
  const [fetch, ...more] = fetches(wire.last);
  assert.deepEqual(fetch, { type: "fetch", ref: fetch.ref, conversation: ROOM, after_seq: 1, limit: 200 });
  assert.deepEqual(more, []);
  assert.deepEqual(seqs(told.event), [1]);
  wire.last.says(page(fetch.ref, events(2, 7)));
  assert.deepEqual(seqs(told.event), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(fetches(wire.last), []);
});

test("page by page, until what was kept fits on", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(event(501));
  const asked = [];
  for (let from = 1; from < 500; from += 200) {
    const [fetch] = fetches(wire.last);
    asked.push(fetch.after_seq);
    wire.last.says(page(fetch.ref, events(from, Math.min(500, from + 199)), 501));
  }
  assert.deepEqual(asked, [0, 200, 400]);
  assert.equal(told.event.length, 501);
  assert.deepEqual(fetches(wire.last), []);
});

test("what comes meanwhile is kept within bounds; what is over is fetched", async () => {
  const { wire, told, room } = await inRoom();
  wire.last.says(events(2, 1500));
  let [fetch] = fetches(wire.last);
  wire.last.says(page(fetch.ref, [event(1)], 1500));
  assert.equal(room.seq, 1001);
  while (([fetch] = fetches(wire.last)) && fetch) {
    wire.last.says(page(fetch.ref, events(fetch.after_seq + 1, Math.min(1500, fetch.after_seq + 200)), 1500));
  }
  assert.equal(told.event.length, 1500);
});

test("a fetch that is not answered is asked again; after three in vain the room is joined anew", async () => {
  const { wire, clock } = await inRoom();
  wire.last.says(event(2));
  await clock.pass(50_000);
  const heard = wire.last.heard().map(({ type }) => type);
  assert.deepEqual(heard.slice(0, 4), ["fetch", "fetch", "fetch", "join"]);
});

test("a page that brings nothing is no reason to ask in a circle", async () => {
  const { wire, clock } = await inRoom();
  wire.last.says(event(3));
  let asked = 0;
  for (let second = 0; second < 5; second += 1) {
    for (const { ref } of fetches(wire.last)) {
      asked += 1;
      wire.last.says(page(ref, [], 3));
    }
    await clock.pass(1000);
  }
  assert.equal(asked, 3);
});

test("a fetch that is refused for now waits as long as the server says", async () => {
  const { wire, clock } = await inRoom();
  wire.last.says(event(2));
  const [{ ref }] = fetches(wire.last);
  wire.last.says({ type: "error", ref, code: "rate_limited", message: "Slowly.", retryable: true, retry_after_ms: 7000 });
  await clock.pass(6999);
  wire.last.says(event(3));
  assert.deepEqual(fetches(wire.last), []);
  await clock.pass(1);
  assert.equal(fetches(wire.last).length, 1);
});

test("a page that nobody waits for is passed over: it may be of an older numbering", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(event(2));
  const [{ ref }] = fetches(wire.last);
  wire.last.says(resync(), page(ref, [event(4, { id: "of the old epoch" })], 4));
  assert.deepEqual(told.event, []);
});

test("heads of the heartbeat show a hole at the end, which is fetched when nothing moves", async () => {
  const { wire, clock, told } = await inRoom();
  wire.last.says({ type: "heartbeat", n: 7, heads: { [ROOM]: 2 } });
  assert.deepEqual(wire.last.heard(), [{ type: "pong", n: 7 }]);
  await clock.pass(1000);
  const [fetch] = fetches(wire.last);
  wire.last.says(page(fetch.ref, events(1, 2)));
  assert.deepEqual(seqs(told.event), [1, 2]);
});

test("heads ahead of events that are on their way are no hole", async () => {
  const { wire, clock } = await inRoom();
  wire.last.says({ type: "heartbeat", n: 1, heads: { [ROOM]: 10 } });
  for (let seq = 1; seq <= 10; seq += 1) {
    await clock.pass(900);
    wire.last.says(event(seq));
  }
  await clock.pass(5000);
  assert.deepEqual(fetches(wire.last), []);
});

test("a head beyond an empty newest page is fetched from there", async () => {
  const { wire, clock } = await inRoom({ position: {}, joined: { head: 5, resumed: false } });
  wire.last.says({ type: "heartbeat", n: 1, heads: { [ROOM]: 6 } });
  await clock.pass(1000);
  assert.equal(fetches(wire.last)[0].after_seq, 5);
});

test("resync replaces what is held, and live goes on from its seq", async () => {
  const { wire, told, room } = await inRoom({ position: { epoch: EPOCH, seq: 9 } });
  wire.last.says(resync(), event(4));
  assert.equal(told.resync[0].seq, 3);
  assert.equal(told.resync[0].reason, "epoch");
  assert.deepEqual([room.epoch, room.seq], ["e2", 4]);
  assert.deepEqual(seqs(told.event), [4]);
});

test("what was kept of the old numbering does not come up in the new one", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(event(5, { id: "old" }), resync({ head: 3 }), event(4), event(5, { id: "new" }));
  assert.deepEqual(told.event.map(({ id }) => id), ["id-4", "new"]);
});

test("nor where the log begins at 1 again, which needs no resync", async () => {
  const scene = await inRoom();
  scene.wire.last.says(event(2, { id: "old" }));
  await reconnected(scene);
  scene.wire.last.says(joined({ epoch: "e2", head: 2 }), { type: "catchup", conversation: ROOM, events: events(1, 2), head: 2, done: true });
  assert.deepEqual(scene.told.event.map(({ id }) => id), ["id-1", "id-2"]);
  assert.equal(scene.room.epoch, "e2");
});

test("another epoch without a word about it is taken as one all the same", async () => {
  const { wire, told } = await inRoom({ position: { epoch: EPOCH, seq: 9 }, joined: { epoch: "e2", head: 10 } });
  wire.last.says(event(10));
  assert.deepEqual(told.event, []);
  wire.last.says(resync());
  assert.equal(told.resync.length, 1);
});

for (const reason of ["epoch", "ahead", "too_far", "expired"]) {
  test(`joined with the reason ${reason}: nothing is applied before the snapshot`, async () => {
    const { wire, told } = await inRoom({
      position: { epoch: EPOCH, seq: 9 },
      joined: { epoch: reason === "epoch" ? "e2" : EPOCH, head: 3, resumed: false, reason },
    });
    wire.last.says(event(10));
    assert.deepEqual(told.event, []);
    wire.last.says(resync({ reason }));
    wire.last.says(event(4));
    assert.deepEqual(seqs(told.event), [4]);
  });
}

test("where the promised resync does not come, the room is joined without a position and begun anew", async () => {
  const { wire, clock, told } = await inRoom({ position: { epoch: EPOCH, seq: 9 }, joined: { epoch: "e2", head: 3, resumed: false, reason: "epoch" } });
  wire.last.heard();
  await clock.pass(10_000);
  const [join] = wire.last.heard();
  assert.deepEqual(Object.keys(join).sort(), ["conversation", "ref", "type"]);
  wire.last.says(joined({ ref: join.ref, epoch: "e2", head: 3, resumed: false }), { type: "catchup", conversation: ROOM, events: events(2, 3), head: 3, done: true });
  assert.deepEqual(told.resync.map(({ snapshot, reason }) => [snapshot, reason]), [[null, "epoch"]]);
  assert.deepEqual(seqs(told.event), [2, 3]);
});

test("4005: joined again without session and without resume data; what is held stays where the epoch is the same", async () => {
  const scene = await inRoom();
  scene.wire.last.says(event(1), event(2));
  scene.wire.last.drops(4005);
  await scene.clock.pass(1000);
  await welcomed(scene, { session: "s2" });
  const [hello, join] = scene.wire.last.heard();
  assert.deepEqual(Object.keys(hello).sort(), ["client_id", "type", "v"]);
  assert.deepEqual(Object.keys(join).sort(), ["conversation", "ref", "type"]);
  scene.wire.last.says(joined({ ref: join.ref, head: 3, resumed: false }), { type: "catchup", conversation: ROOM, events: events(1, 3), head: 3, done: true });
  assert.deepEqual(seqs(scene.told.event), [1, 2, 3]);
  assert.deepEqual(scene.told.resync, []);
  await scene.clock.pass(5000);
  await reconnected(scene);
  assert.equal(scene.wire.last.heard()[0].resume[0].seq, 3, "once only");
});

test("after 4005 what is held may be void: then the snapshot is asked for, and nothing is applied before it", async () => {
  const scene = await inRoom();
  scene.wire.last.says(events(1, 9));
  scene.wire.last.drops(4005);
  await scene.clock.pass(1000);
  await welcomed(scene, { session: "s2" });
  scene.wire.last.heard();
  scene.wire.last.says(joined({ epoch: "e2", head: 4, resumed: false }), { type: "catchup", conversation: ROOM, events: events(1, 4), head: 4, done: true });
  const [join] = scene.wire.last.heard();
  assert.deepEqual([join.type, join.epoch, join.seq], ["join", EPOCH, 9]);
  scene.wire.last.says(joined({ ref: join.ref, epoch: "e2", head: 4, resumed: false, reason: "epoch" }), resync({ head: 4, snapshot: { seq: 4, state: {} } }), event(5));
  assert.deepEqual(scene.told.resync.map(({ seq }) => seq), [4]);
  assert.deepEqual(seqs(scene.told.event).slice(9), [5]);
});

test("after 4005 a log that is shorter than what is held is a void cursor too", async () => {
  const scene = await inRoom();
  scene.wire.last.says(events(1, 9));
  scene.wire.last.drops(4005);
  await scene.clock.pass(1000);
  await welcomed(scene);
  scene.wire.last.heard();
  scene.wire.last.says(joined({ head: 4, resumed: false }));
  assert.deepEqual(scene.wire.last.heard().map(({ type, seq }) => [type, seq]), [["join", 9]]);
});

test("after 4005 the newest page may begin beyond the cursor: the hole is fetched", async () => {
  const scene = await inRoom();
  scene.wire.last.says(event(1));
  scene.wire.last.drops(4005);
  await scene.clock.pass(1000);
  await welcomed(scene);
  scene.wire.last.says(joined({ head: 150 }), { type: "catchup", conversation: ROOM, events: events(51, 150), head: 150, done: true });
  const [fetch] = fetches(scene.wire.last);
  assert.equal(fetch.after_seq, 1);
  scene.wire.last.says(page(fetch.ref, events(2, 150), 150));
  assert.equal(scene.told.event.length, 150);
});

test("after a reconnect nothing of the old connection is waited for", async () => {
  const scene = await inRoom();
  scene.wire.last.says(event(3));
  const [{ ref }] = fetches(scene.wire.last);
  const old = scene.wire.last;
  old.drops();
  old.says(page(ref, events(1, 3)));
  assert.deepEqual(scene.told.event, []);
  await scene.clock.pass(1000);
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true }] });
  scene.wire.last.heard();
  scene.wire.last.says(joined({ head: 3 }), event(3));
  const [fetch] = fetches(scene.wire.last);
  scene.wire.last.says(page(fetch.ref, events(1, 3)));
  assert.deepEqual(seqs(scene.told.event), [1, 2, 3]);
});

test("a listener may leave or close in the middle of a batch: nothing of it comes after", async () => {
  const one = await inRoom();
  one.room.on("event", () => one.room.leave());
  one.wire.last.says({ type: "catchup", conversation: ROOM, events: events(1, 3), head: 3, done: true });
  assert.deepEqual(seqs(one.told.event), [1]);

  const two = await inRoom();
  two.room.on("event", () => two.client.close());
  two.wire.last.says([event(1), event(2), { type: "drain", retry_after_ms: 1000, deadline_ms: 2000 }]);
  assert.deepEqual(seqs(two.told.event), [1]);
  assert.equal(two.clock.pending, 0);
});

test("what is still on the wire of an earlier stay is not taken for the new one", async () => {
  const { client, wire, room } = await inRoom();
  room.leave();
  const again = client.join(ROOM, { epoch: EPOCH, seq: 0 });
  const seen = [];
  again.on("event", ({ seq }) => seen.push(seq));
  const join = wire.last.heard().findLast(({ type }) => type === "join");
  wire.last.says(event(1), { type: "left", conversation: ROOM, reason: "asked" });
  assert.deepEqual(seen, []);
  wire.last.says(joined({ ref: join.ref, head: 1 }), { type: "catchup", conversation: ROOM, events: [event(1)], head: 1, done: true });
  assert.deepEqual(seen, [1]);
});

test("a delta whose run:start lies in the hole is given out after it", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(event(2), delta(0, "Hel"), delta(3, "lo"));
  assert.deepEqual(told.delta, []);
  const [{ ref }] = fetches(wire.last);
  wire.last.says(page(ref, [runStart(1), event(2)], 2));
  assert.deepEqual(told.order.filter((type) => type === "event" || type === "delta"), ["event", "event", "delta", "delta"]);
  assert.equal(told.delta.at(-1).full, "Hello");
});
