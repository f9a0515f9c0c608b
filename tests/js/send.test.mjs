import assert from "node:assert/strict";
import test from "node:test";
import { uuid7 } from "../../realtime/static/realtime/ids.js";
import { EPOCH, ROOM, event, inRoom, joined, listen, reconnected, stage, welcomed } from "./support/stage.mjs";
import { FakeStorage } from "./support/storage.mjs";

const sends = (socket) => socket.heard().filter(({ type }) => type === "send");
const sent = ({ ref, cmid }, fields = {}) => ({ type: "sent", ref, conversation: ROOM, cmid, seq: 1, id: "id-1", dup: false, ...fields });
const error = ({ ref }, code, fields = {}) => ({ type: "error", ref, code, message: `It is ${code}.`, retryable: false, ...fields });

test("ids are UUIDv7, unlike each other, and sort as they were made", () => {
  const ids = Array.from({ length: 10_000 }, () => uuid7(1_700_000_000_000));
  assert.match(ids[0], /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids, [...ids].sort());
});

test("send carries what was given, a cmid, and the head on screen", async () => {
  const { wire, room } = await inRoom();
  wire.last.says(event(1), event(2));
  const { cmid } = room.send("Hi", { action: "chat", assistant: "guide", reply_to: "m1", on_busy: "enqueue" });
  const [frame] = sends(wire.last);
  assert.deepEqual(frame, {
    type: "send", ref: frame.ref, conversation: ROOM, cmid, text: "Hi",
    action: "chat", assistant: "guide", reply_to: "m1", on_busy: "enqueue", seen_seq: 2,
  });
});

test("sent acknowledges it", async () => {
  const { wire, room, told } = await inRoom();
  const message = room.send("Hi");
  assert.deepEqual(room.unsent.map(({ cmid, text }) => [cmid, text]), [[message.cmid, "Hi"]]);
  const [frame] = sends(wire.last);
  wire.last.says(sent(frame, { seq: 4, run: "run1" }));
  const { seq, run, dup } = await message.acknowledged;
  assert.deepEqual([seq, run, dup], [4, "run1", false]);
  assert.equal(told.sent[0].cmid, message.cmid);
  assert.deepEqual(room.unsent, []);
});

test("what is written before there is a connection goes out when the room is joined", async () => {
  const scene = stage();
  const room = scene.client.join(ROOM, { epoch: EPOCH, seq: 0 });
  const { cmid } = room.send("early");
  scene.client.connect();
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true }] });
  assert.deepEqual(sends(scene.wire.last), []);
  scene.wire.last.says(joined());
  assert.deepEqual(sends(scene.wire.last).map((frame) => frame.cmid), [cmid]);
});

test("unacknowledged at a loss: sent again with the same cmid and the same body", async () => {
  const scene = await inRoom();
  const message = scene.room.send("Hi", { seen_seq: 0 });
  const [first] = sends(scene.wire.last);
  await reconnected(scene);
  scene.wire.last.heard();
  scene.wire.last.says(joined());
  const [second] = sends(scene.wire.last);
  assert.deepEqual({ ...second, ref: first.ref }, first);
  scene.wire.last.says(sent(second, { dup: true }));
  assert.equal((await message.acknowledged).dup, true);
});

test("one after the other, so that the order of writing is kept", async () => {
  const { wire, room } = await inRoom();
  for (const text of ["one", "two", "three"]) room.send(text);
  for (const text of ["one", "two", "three"]) {
    const frames = sends(wire.last);
    assert.deepEqual(frames.map((frame) => frame.text), [text]);
    wire.last.says(sent(frames[0]));
  }
  assert.deepEqual(sends(wire.last), []);
});

test("a retryable error keeps the message: sent again after the wait that the server names, else after 1, 2, 4 … s", async () => {
  const { wire, room, clock, told } = await inRoom();
  room.send("Hi");
  wire.last.says(error(sends(wire.last)[0], "rate_limited", { retryable: true, retry_after_ms: 5000 }));
  await clock.pass(4999);
  room.send("next");
  assert.deepEqual(sends(wire.last), [], "nor does the next one overtake it");
  await clock.pass(1);
  let [frame] = sends(wire.last);
  for (const wait of [2000, 4000, 8000, 16_000]) {
    wire.last.says({ type: "heartbeat", n: 1, heads: {} }, error(frame, "unavailable", { retryable: true }));
    await clock.pass(wait - 1);
    assert.deepEqual(sends(wire.last), []);
    await clock.pass(1);
    [frame] = sends(wire.last);
  }
  wire.last.says(sent(frame));
  assert.deepEqual(told.failed, []);
  [frame] = sends(wire.last);
  wire.last.says(error(frame, "unavailable", { retryable: true }));
  await clock.pass(1000);
  assert.deepEqual(sends(wire.last).map(({ text }) => text), ["next"], "which begins at 1 s again");
});

test("an error for good takes it out and gives the text back; the next goes on", async () => {
  const { wire, room, told } = await inRoom();
  const bad = room.send("bad");
  room.send("good");
  const [frame] = sends(wire.last);
  wire.last.says(error(frame, "invalid"), error(frame, "invalid"));
  await assert.rejects(bad.acknowledged, { name: "SendError", code: "invalid", message: "It is invalid.", cmid: bad.cmid });
  assert.deepEqual(told.failed.map(({ code, body }) => [code, body.text]), [["invalid", "bad"]]);
  assert.deepEqual(sends(wire.last).map(({ text }) => text), ["good"]);
  assert.deepEqual(room.unsent.map(({ text }) => text), ["good"]);
});

test("a message is not to blame for an expired token: it is kept", async () => {
  const { wire, room, clock } = await inRoom();
  room.send("Hi");
  wire.last.says(error(sends(wire.last)[0], "token_expired"));
  await clock.pass(1000);
  assert.equal(sends(wire.last).length, 1);
});

test("busy: who said reject is told, who said enqueue is not", async () => {
  const { wire, room, told, clock } = await inRoom();
  room.send("one", { on_busy: "reject" });
  wire.last.says(error(sends(wire.last)[0], "conversation_busy", { retryable: true }));
  assert.equal(told.failed[0].code, "conversation_busy");
  room.send("two");
  wire.last.says(error(sends(wire.last)[0], "conversation_busy", { retryable: true }));
  assert.equal(told.failed.length, 1);
  await clock.pass(1000);
  assert.equal(sends(wire.last).length, 1);
});

test("no answer at all on a living connection: asked again with the same cmid; a late answer counts", async () => {
  const { wire, room, clock } = await inRoom();
  const { cmid, acknowledged } = room.send("Hi");
  const [first] = sends(wire.last);
  await clock.pass(15_000);
  const [second] = sends(wire.last);
  assert.equal(second.cmid, cmid);
  assert.notEqual(second.ref, first.ref);
  wire.last.says(sent(first));
  await acknowledged;
  wire.last.says(sent(second, { dup: true }));
  assert.deepEqual(room.unsent, []);
});

test("what can never fit into a frame is refused here: the server would end the connection, again and again", async () => {
  const { wire, room } = await inRoom();
  await assert.rejects(room.send("漢".repeat(22_000)).acknowledged, { code: "too_large" });
  assert.deepEqual(sends(wire.last), []);
  room.send("x".repeat(60_000));
  assert.equal(sends(wire.last).length, 1);
});

test("1009 all the same (a proxy with a smaller limit): the largest on its way fails, the rest is sent", async () => {
  const scene = await inRoom();
  const big = scene.room.send("x".repeat(50_000));
  scene.room.send("small");
  scene.wire.last.drops(1009);
  await assert.rejects(big.acknowledged, { code: "too_large" });
  assert.equal(scene.client.state.state, "waiting");
  assert.deepEqual(scene.room.unsent.map(({ text }) => text), ["small"]);
});

// ---- over a reload

test("a reload keeps what was unsent, in order, with its cmid", async () => {
  const storage = new FakeStorage();
  const before = await inRoom({ storage });
  const one = before.room.send("one", { action: "chat" });
  await before.clock.pass(5);
  const two = before.room.send("two");
  before.wire.last.drops();

  const after = await inRoom({ storage });
  assert.deepEqual(after.room.unsent.map(({ text }) => text), ["one", "two"]);
  const three = after.room.send("three");
  for (const cmid of [one.cmid, two.cmid, three.cmid]) {
    const [frame] = sends(after.wire.last);
    assert.equal(frame.cmid, cmid);
    after.wire.last.says(sent(frame));
  }
  assert.equal(storage.length, 0);
});

test("joined before it is known who is here: what was left behind comes with welcome, and only once", async () => {
  const storage = new FakeStorage();
  (await inRoom({ storage })).room.send("left behind");
  const scene = stage({ storage });
  const room = scene.client.join(ROOM, { epoch: EPOCH, seq: 0 });
  assert.deepEqual(room.unsent, []);
  scene.client.connect();
  await welcomed(scene);
  assert.deepEqual(room.unsent.map(({ text }) => text), ["left behind"]);
  await reconnected(scene);
  assert.equal(room.unsent.length, 1);
});

test("a refused message is out of the storage too", async () => {
  const storage = new FakeStorage();
  const { wire, room } = await inRoom({ storage });
  room.send("Hi");
  assert.equal(storage.length, 1);
  wire.last.says(error(sends(wire.last)[0], "forbidden"));
  assert.equal(storage.length, 0);
});

test("two tabs with one storage do not overwrite each other", async () => {
  const storage = new FakeStorage();
  const left = await inRoom({ storage });
  const right = await inRoom({ storage });
  left.room.send("left");
  right.room.send("right");
  const third = await inRoom({ storage });
  assert.deepEqual(third.room.unsent.map(({ text }) => text).sort(), ["left", "right"]);
});

test("what somebody else left on this browser is neither shown nor sent", async () => {
  const storage = new FakeStorage();
  const alice = await inRoom({ storage });
  alice.room.send("Alice's");
  const bob = await inRoom({ storage, welcome: { user: { id: "u2", name: "Bob" } } });
  assert.deepEqual(bob.room.unsent, []);
  const again = await inRoom({ storage });
  assert.equal(again.room.unsent.length, 1);
});

test("with the user given, what was left behind is there before any connection", () => {
  const storage = new FakeStorage();
  stage({ storage, user: "u1" }).client.join(ROOM).send("Hi");
  assert.deepEqual(stage({ storage, user: "u1" }).client.join(ROOM).unsent.map(({ text }) => text), ["Hi"]);
  assert.deepEqual(stage({ storage, user: "u2" }).client.join(ROOM).unsent, []);
});

test("a storage that is full, forbidden or full of nonsense does no harm", async () => {
  const broken = { get length() { throw new Error("forbidden"); }, setItem() { throw new Error("full"); }, removeItem() { throw new Error("full"); } };
  const { wire, room } = await inRoom({ storage: broken });
  room.send("Hi");
  const [frame] = sends(wire.last);
  wire.last.says(sent(frame));
  assert.deepEqual(room.unsent, []);

  const nonsense = new FakeStorage();
  nonsense.setItem(`unsent:${ROOM}:x`, "{");
  nonsense.setItem(`unsent:${ROOM}:y`, "7");
  const other = await inRoom({ storage: nonsense });
  assert.deepEqual(other.room.unsent, []);
});

// ---- leaving

test("leave: the page goes on without; what is unsent stays in the storage for the next join", async () => {
  const storage = new FakeStorage();
  const { client, wire, room, told } = await inRoom({ storage });
  const message = room.send("Hi");
  wire.last.heard();
  room.leave();
  assert.deepEqual(wire.last.heard().map(({ type, conversation }) => [type, conversation]), [["leave", ROOM]]);
  await assert.rejects(message.acknowledged, { code: "left" });
  assert.deepEqual(told.left, [{ conversation: ROOM, reason: "asked" }]);
  assert.deepEqual(told.failed, []);
  assert.deepEqual(client.join(ROOM).unsent.map(({ cmid }) => cmid), [message.cmid]);
});

test("removed: what is unsent comes back as failed, and the room is not joined again", async () => {
  const scene = await inRoom();
  scene.room.send("Hi");
  scene.wire.last.says({ type: "left", conversation: ROOM, reason: "removed" }, event(1));
  assert.deepEqual(scene.told.failed.map(({ code, body }) => [code, body.text]), [["forbidden", "Hi"]]);
  assert.deepEqual(scene.told.left.map(({ reason }) => reason), ["removed"]);
  assert.deepEqual(scene.told.event, []);
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  scene.wire.last.opens();
  assert.equal("resume" in scene.wire.last.heard()[0], false);
});

test("two listeners of one room hear the same", async () => {
  const { wire, room, told } = await inRoom();
  const second = listen(room);
  const off = room.on("event", () => assert.fail("was taken off"));
  off();
  wire.last.says(event(1));
  assert.deepEqual(second.event, told.event);
});
