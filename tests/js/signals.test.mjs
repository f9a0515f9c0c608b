import assert from "node:assert/strict";
import test from "node:test";
import { EPOCH, ROOM, inRoom, joined, reconnected, runEnd, welcomed } from "./support/stage.mjs";

const heard = (socket, type) => socket.heard().filter((frame) => frame.type === type);

async function rejoined(scene, fields) {
  await reconnected(scene);
  scene.wire.last.says(joined(fields));
}

test("typing is said at most every 3 s while keys are pressed, and taken back 5 s after the last", async () => {
  const { wire, room, clock } = await inRoom();
  const said = [];
  for (let n = 0; n < 40; n += 1) {
    room.typing();
    said.push(...heard(wire.last, "typing"));
    await clock.pass(100);
  }
  assert.deepEqual(said, [{ type: "typing", on: true, conversation: ROOM }, { type: "typing", on: true, conversation: ROOM }]);
  await clock.pass(5000);
  assert.deepEqual(heard(wire.last, "typing").map(({ on }) => on), [false]);
});

test("typing(false) is said once, and only after a typing(true)", async () => {
  const { wire, room } = await inRoom();
  room.typing(false);
  room.typing(true);
  room.typing(false);
  room.typing(false);
  assert.deepEqual(heard(wire.last, "typing").map(({ on }) => on), [true, false]);
});

test("typing without a connection is forgotten", async () => {
  const scene = await inRoom();
  scene.wire.last.drops();
  scene.room.typing();
  await scene.clock.pass(1000);
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true }] });
  scene.wire.last.says(joined());
  assert.deepEqual(heard(scene.wire.last, "typing"), []);
  scene.room.typing();
  assert.equal(heard(scene.wire.last, "typing").length, 1, "and does not keep the next from being said");
});

test("read goes forward only, at most twice a second, and the last one is always said", async () => {
  const { wire, room, clock } = await inRoom({ position: { epoch: EPOCH, seq: 9 } });
  for (const seq of [3, 4, 2, 9, 5]) room.read(seq);
  assert.deepEqual(heard(wire.last, "read").map(({ seq }) => seq), [3]);
  await clock.pass(500);
  assert.deepEqual(heard(wire.last, "read"), [{ type: "read", seq: 9, conversation: ROOM }]);
  await clock.pass(5000);
  assert.deepEqual(heard(wire.last, "read"), []);
});

test("read while away is said after the reconnect", async () => {
  const scene = await inRoom({ position: { epoch: EPOCH, seq: 9 } });
  scene.wire.last.drops();
  scene.room.read();
  await scene.clock.pass(1000);
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true }] });
  scene.wire.last.says(joined({ head: 9 }));
  assert.deepEqual(heard(scene.wire.last, "read").map(({ seq }) => seq), [9]);
});

test("read may have been lost with the connection, so it is said again", async () => {
  const scene = await inRoom({ position: { epoch: EPOCH, seq: 9 } });
  scene.room.read(9);
  await rejoined(scene, { head: 9 });
  assert.deepEqual(heard(scene.wire.last, "read").map(({ seq }) => seq), [9]);
});

test("a read mark of another numbering is not carried over", async () => {
  const scene = await inRoom({ position: { epoch: EPOCH, seq: 9 } });
  scene.room.read(9);
  scene.wire.last.says({ type: "resync", conversation: ROOM, epoch: "e2", reason: "epoch", snapshot: { seq: 3, state: {} }, head: 3 });
  scene.wire.last.heard();
  scene.room.read(3);
  await scene.clock.pass(500);
  assert.deepEqual(heard(scene.wire.last, "read").map(({ seq }) => seq), [3]);
});

test("stop is answered", async () => {
  const { wire, room } = await inRoom();
  const stopped = room.stop("run1");
  const [stop] = heard(wire.last, "stop");
  assert.deepEqual(stop, { type: "stop", ref: stop.ref, run: "run1" });
  wire.last.says({ type: "ok", ref: stop.ref });
  await stopped;
});

test("a wish to stop outlives the connection", async () => {
  const scene = await inRoom();
  scene.wire.last.drops();
  const stopped = scene.room.stop("run1");
  await scene.clock.pass(1000);
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true }] });
  scene.wire.last.says(joined());
  assert.equal(heard(scene.wire.last, "stop").length, 1);
  await rejoined(scene);
  const [{ ref }] = heard(scene.wire.last, "stop");
  scene.wire.last.says({ type: "ok", ref });
  await stopped;
  await rejoined(scene);
  assert.deepEqual(heard(scene.wire.last, "stop"), []);
});

test("a run that has ended needs no stop any more", async () => {
  const { wire, room } = await inRoom();
  const first = room.stop("run1");
  wire.last.says(runEnd(1, "text"));
  await first;
  const second = room.stop("run2");
  const ref = heard(wire.last, "stop").at(-1).ref;
  wire.last.says({ type: "error", ref, code: "run_not_active", message: "It has ended.", retryable: false });
  await second;
});

test("a stop that is refused for now is asked again; refused for good it rejects", async () => {
  const { wire, room, clock } = await inRoom();
  const stopped = room.stop("run1");
  wire.last.says({ type: "error", ref: heard(wire.last, "stop")[0].ref, code: "unavailable", message: "Later.", retryable: true, retry_after_ms: 3000 });
  await clock.pass(3000);
  const [again] = heard(wire.last, "stop");
  wire.last.says({ type: "error", ref: again.ref, code: "forbidden", message: "Not yours.", retryable: false });
  await assert.rejects(stopped, { code: "forbidden" });
});

test("presence, typing, read, shared state and trouble of plugins are passed on", async () => {
  const { wire, room, told } = await inRoom({ joined: { online: 2, role: "viewer" } });
  assert.deepEqual([room.online, room.role, room.members.length], [2, "viewer", 1]);
  const bob = { id: "u2", name: "Bob" };
  wire.last.says(
    { type: "user:join", conversation: ROOM, users: [bob], online: 3 },
    { type: "user:typing", conversation: ROOM, user: bob, on: true },
    { type: "user:read", conversation: ROOM, user: bob, seq: 4 },
    { type: "state:set", conversation: ROOM, key: "k", value: 1, clock: {}, by: bob },
    { type: "plugin:degraded", conversation: ROOM, run: "run1", plugin: "search", reason: "timeout" },
    { type: "user:leave", conversation: ROOM, users: [bob], online: 2 },
  );
  assert.deepEqual(told.presence.map(({ type, online }) => [type, online]), [["joined", 2], ["user:join", 3], ["user:leave", 2]]);
  assert.deepEqual([told.typing[0].on, told.read[0].seq, told.state[0].key, told.degraded[0].plugin], [true, 4, "k", "search"]);
});

test("an error that is about no request is told by the client", async () => {
  const { client, wire, told } = await inRoom();
  const errors = [];
  client.on("error", ({ code }) => errors.push(code));
  wire.last.says({ type: "error", code: "invalid", message: "What?", retryable: false });
  assert.deepEqual(errors, ["invalid"]);
  assert.deepEqual(told.error, []);
});
