import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { settled } from "./support/clock.mjs";
import { EPOCH, ROOM, delta, event, inRoom, joined, listen, online, reconnected, runStart, seqs, stage, welcome, welcomed } from "./support/stage.mjs";

test("the first frame is hello, and welcome makes the client online", async () => {
  const { client, wire, states } = stage();
  client.connect();
  await settled();
  assert.equal(wire.last.url, "ws://test/ws/");
  wire.last.opens();
  assert.deepEqual(wire.last.heard(), [{ type: "hello", v: 1, client_id: "tab-1" }]);
  wire.last.says(welcome());
  assert.deepEqual(states.map(({ state }) => state), ["connecting", "online"]);
  assert.equal(client.user.id, "u1");
});

test("a room joined while online sends its cursor", async () => {
  const { client, wire } = await online();
  wire.last.heard();
  const room = client.join(ROOM, { epoch: EPOCH, seq: 7 });
  const [join] = wire.last.heard();
  assert.deepEqual(join, { type: "join", ref: join.ref, conversation: ROOM, epoch: EPOCH, seq: 7 });
  wire.last.says(joined({ ref: join.ref, head: 7, online: 3 }));
  assert.equal(room.joined, true);
  assert.equal(room.online, 3);
  assert.equal(client.join(ROOM), room);
});

test("what was joined before is resumed in hello, with session, cursor and the lengths of running answers", async () => {
  const scene = await inRoom();
  scene.wire.last.says(event(1), runStart(2), delta(0, "a😀b"));
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  await settled();
  scene.wire.last.opens();
  assert.deepEqual(scene.wire.last.heard(), [{
    type: "hello", v: 1, client_id: "tab-1", session: "s1",
    resume: [{ conversation: ROOM, epoch: EPOCH, seq: 2, runs: { run1: 3 } }],
  }]);
});

test("after a resume joined comes without ref, then catchup, and nothing is joined twice", async () => {
  const scene = await inRoom();
  await reconnected(scene);
  scene.wire.last.heard();
  scene.wire.last.says(joined({ head: 2 }), { type: "catchup", conversation: ROOM, events: [event(1), event(2)], head: 2, done: true });
  assert.deepEqual(seqs(scene.told.event), [1, 2]);
  await scene.clock.pass(20_000);
  assert.deepEqual(scene.wire.last.heard(), []);
});

for (const reason of ["not_found", "rate_limited", undefined]) {
  test(`an entry that is not ok (${reason}) is joined by a frame of its own, which says what is the matter`, async () => {
    const scene = await inRoom({ position: { epoch: EPOCH, seq: 5 } });
    scene.wire.last.drops();
    await scene.clock.pass(1000);
    await welcomed(scene, { resumed: [{ conversation: ROOM, ok: false, reason }] });
    const join = scene.wire.last.heard().find(({ type }) => type === "join");
    assert.equal(join.seq, 5);
    scene.wire.last.says({ type: "error", ref: join.ref, code: "not_found", message: "No such conversation.", retryable: false });
    assert.equal(scene.told.error[0].code, "not_found");
    assert.deepEqual(scene.told.left, [{ conversation: ROOM, reason: "not_found" }]);
  });
}

test("an entry that is not ok for its epoch is followed by resync, so nothing is asked", async () => {
  const scene = await inRoom({ position: { epoch: EPOCH, seq: 5 } });
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: false, reason: "epoch", epoch: "e2", head: 3 }] });
  assert.deepEqual(scene.wire.last.heard().map(({ type }) => type), ["hello"]);
});

test("a hello that is refused for now is said again on another connection, after the wait that the server names", async () => {
  const { client, wire, clock } = stage();
  client.connect();
  await settled();
  wire.last.opens();
  wire.last.says({ type: "error", code: "unavailable", message: "Later.", retryable: true, retry_after_ms: 2500 });
  assert.deepEqual([client.state.state, client.state.reason, client.state.retryAt - clock.now()], ["waiting", "unavailable", 2500]);
  assert.equal(wire.last.closed, true);
});

test("where many say hello at once, the turn that the server tells counts, not the usual waits that grow", async () => {
  const { client, wire, clock } = stage();
  client.connect();
  for (let refusal = 0; refusal < 7; refusal += 1) {
    await settled();
    wire.last.opens();
    wire.last.says({ type: "error", code: "rate_limited", message: "Later.", retryable: true, retry_after_ms: 1500 });
    const wait = client.state.retryAt - clock.now();
    assert.equal(client.state.state, "waiting");
    assert.ok(wait >= 1500 && wait <= 1800, wait);
    await clock.pass(wait);
  }
  assert.equal(wire.sockets.length, 8);
});

test("a join that gets no answer is asked again", async () => {
  const { client, wire, clock } = await online();
  client.join(ROOM, { seq: 0 });
  wire.last.heard();
  await clock.pass(10_000);
  assert.deepEqual(wire.last.heard().map(({ type }) => type), ["join"]);
});

test("a joined that was promised and does not come is asked for", async () => {
  const scene = await inRoom();
  await reconnected(scene);
  scene.wire.last.heard();
  await scene.clock.pass(10_000);
  assert.deepEqual(scene.wire.last.heard().map(({ type, seq }) => [type, seq]), [["join", 0]]);
});

test("a join that is answered resync_required is said again without a cursor", async () => {
  const { client, wire, clock } = await online();
  client.join(ROOM, { epoch: EPOCH, seq: 5 });
  const join = wire.last.heard().find(({ type }) => type === "join");
  wire.last.says({ type: "error", ref: join.ref, code: "resync_required", message: "Begin anew.", retryable: false });
  await clock.pass(2000);
  assert.equal("seq" in wire.last.heard()[0], false);
});

test("a join that is refused for now is asked again after the wait that the server names", async () => {
  const { client, wire, clock } = await online();
  const told = listen(client.join(ROOM, { seq: 0 }));
  const join = wire.last.heard().find(({ type }) => type === "join");
  wire.last.says({ type: "error", ref: join.ref, code: "room_full", message: "Full.", retryable: true, retry_after_ms: 4000 });
  await clock.pass(3999);
  assert.deepEqual(wire.last.heard(), []);
  await clock.pass(1);
  assert.deepEqual(wire.last.heard().map(({ type }) => type), ["join"]);
  assert.deepEqual(told.left, []);
});

test("more conversations than fit in one frame: the rest is joined after welcome", async () => {
  const scene = stage();
  for (let n = 0; n < 60; n += 1) scene.client.join(`c${n}`, { seq: 0 });
  scene.client.connect();
  await settled();
  scene.wire.last.opens();
  const [{ resume }] = scene.wire.last.heard();
  assert.equal(resume.length, 50);
  scene.wire.last.says(welcome({ resumed: resume.map(({ conversation }) => ({ conversation, ok: true })) }));
  assert.deepEqual(scene.wire.last.heard().map(({ conversation }) => conversation), Array.from({ length: 10 }, (_, at) => `c${50 + at}`));
});

test("without a position the room begins where the server begins", async () => {
  const { wire, told, room } = await inRoom({ position: {}, joined: { head: 42, resumed: false } });
  assert.equal(room.seq, null);
  wire.last.says({ type: "catchup", conversation: ROOM, events: [event(41), event(42)], head: 42, done: true }, event(43));
  assert.deepEqual(seqs(told.event), [41, 42, 43]);
});

test("a listener of the state online may join: each room is joined once", async () => {
  const scene = stage();
  scene.client.on("state", ({ state }) => state === "online" && scene.client.join(ROOM, { seq: 0 }));
  scene.client.connect();
  await welcomed(scene);
  assert.deepEqual(scene.wire.last.heard().map(({ type }) => type), ["hello", "join"]);
});

test("a listener of welcome may close: nothing is asked, no timer is left", async () => {
  const scene = stage();
  scene.client.join(ROOM, { seq: 0 });
  scene.client.on("welcome", () => scene.client.close());
  scene.client.connect();
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true }] });
  assert.deepEqual(scene.wire.last.heard().map(({ type }) => type), ["hello"]);
  assert.equal(scene.clock.pending, 0);
});

test("since goes along with the first join only as long as nothing better is known", async () => {
  const { client, wire } = await online();
  wire.last.heard();
  client.join(ROOM, { since: "2025-01-01T00:00:00.000Z" });
  const [join] = wire.last.heard();
  assert.equal(join.since, "2025-01-01T00:00:00.000Z");
  assert.equal("seq" in join, false);
});

test("frames of no known type, no known conversation, or no sense are passed over", async () => {
  const { wire, told } = await inRoom();
  wire.last.says("{", "null", "[1, null]", { type: "new:thing" }, event(1, { conversation: "other" }), { type: "new:thing", conversation: ROOM }, event(1, { type: "new:event" }));
  assert.deepEqual(told.event.map(({ type }) => type), ["new:event"]);
});

test("a listener that throws does not keep the next frames from being taken", () => {
  const script = `
    import { event, inRoom, seqs } from ${JSON.stringify(import.meta.resolve("./support/stage.mjs"))};
    const thrown = [];
    process.on("uncaughtException", ({ message }) => thrown.push(message));
    const { wire, told, room } = await inRoom();
    room.addEventListener("event", () => { throw new Error("in the page"); }, { once: true });
    wire.last.says([event(1), event(2)]);
    setImmediate(() => console.log(JSON.stringify({ thrown, applied: seqs(told.event) })));`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(out), { thrown: ["in the page"], applied: [1, 2] });
});
