import assert from "node:assert/strict";
import test from "node:test";
import { TRIES, waitBefore } from "../../realtime/static/realtime/backoff.js";
import { settled } from "./support/clock.mjs";
import { ROOM, inRoom, joined, online, stage, welcomed } from "./support/stage.mjs";

/** Lets every try fail and says how long the client waited before each. */
async function waitsOf({ wire, clock, states }, tries) {
  const waits = [];
  for (let n = 0; n < tries; n += 1) {
    wire.last.drops();
    const { retryAt } = states.at(-1);
    waits.push(retryAt - clock.now());
    await clock.pass(retryAt - clock.now());
    await settled();
  }
  return waits;
}

const namesOf = (states) => states.map(({ state }) => state);

test("waits of 1, 2, 4, 8, 16 s, each within half a second", () => {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const middle = 1000 * 2 ** (attempt - 1);
    assert.equal(waitBefore(attempt, () => 0), middle - 500);
    assert.equal(waitBefore(attempt, () => 0.5), middle);
    assert.ok(waitBefore(attempt, () => 0.999) < middle + 500);
  }
});

test("then up to 30 s with full jitter", () => {
  for (const attempt of [6, 7, 60]) {
    assert.equal(waitBefore(attempt, () => 0), 0);
    assert.equal(waitBefore(attempt, () => 0.5), 15_000);
    assert.ok(waitBefore(attempt, () => 0.999) <= 30_000);
  }
});

test("after five tries in vain it says offline, and goes on", async () => {
  const scene = await online();
  assert.deepEqual(await waitsOf(scene, 8), [1000, 2000, 4000, 8000, 16_000, 15_000, 15_000, 15_000]);
  assert.equal(scene.wire.sockets.length, 9);
  const trying = ["waiting", "connecting"];
  assert.deepEqual(namesOf(scene.states), ["connecting", "online", ...trying, ...trying, ...trying, ...trying, ...trying, ...Array(6).fill("offline")]);
  assert.deepEqual(scene.states.at(-1), { state: "offline", attempt: 8, retryAt: null, trying: true, reason: "network", code: 1006, transport: null });
  await welcomed(scene);
  assert.equal(scene.client.state.state, "online");
});

test("a first connection that fails is tried again in the same way", async () => {
  const scene = stage();
  scene.client.connect();
  await settled();
  assert.deepEqual(await waitsOf(scene, 3), [1000, 2000, 4000]);
});

test("the state tells a page all it needs for a countdown", async () => {
  const { wire, clock, client } = await online();
  wire.last.drops(4003);
  assert.deepEqual(client.state, { state: "waiting", attempt: 1, retryAt: clock.now() + 1000, trying: false, reason: "slow", code: 4003, transport: null });
});

test("a connection that held begins to count anew; one that is dropped at once does not", async () => {
  const scene = await online();
  await waitsOf(scene, 2);
  await welcomed(scene);
  scene.wire.last.drops();
  assert.equal(scene.client.state.attempt, 3);
  await scene.clock.pass(4000);
  await welcomed(scene);
  await scene.clock.pass(5000);
  scene.wire.last.drops();
  assert.equal(scene.client.state.attempt, 1);
});

for (const [name, wake] of Object.entries({
  online: ({ window }) => window.dispatchEvent(new Event("online")),
  "visibilitychange to visible": ({ document }) => document.dispatchEvent(new Event("visibilitychange")),
})) {
  test(`${name}: tried at once, waiting or offline`, async () => {
    const scene = await online();
    await waitsOf(scene, 6);
    scene.wire.last.drops();
    assert.equal(scene.client.state.state, "offline");
    const { length } = scene.wire.sockets;
    wake(scene.page);
    await scene.clock.pass(0);
    assert.equal(scene.wire.sockets.length, length + 1);
    await welcomed(scene);
    assert.equal(scene.client.state.state, "online");
  });
}

test("a page that is hidden wakes nothing", async () => {
  const { wire, page, clock } = await online();
  wire.last.drops();
  page.document.visibilityState = "hidden";
  page.document.dispatchEvent(new Event("visibilitychange"));
  await clock.pass(0);
  assert.equal(wire.sockets.length, 1);
});

test("connect() while it waits is the button that says: now", async () => {
  const { wire, client, clock } = await online();
  wire.last.drops();
  client.connect();
  await clock.pass(0);
  assert.equal(wire.sockets.length, 2);
});

test("retry_after_ms of an error is kept to, also when somebody is impatient", async () => {
  const { wire, clock, page } = await online();
  wire.last.says({ type: "error", code: "rate_limited", message: "Slowly.", retryable: true, retry_after_ms: 20_000 });
  wire.last.drops(4029);
  page.window.dispatchEvent(new Event("online"));
  await clock.pass(19_999);
  assert.equal(wire.sockets.length, 1);
  await clock.pass(1);
  assert.equal(wire.sockets.length, 2);
});

test("retry_after_ms of an error is kept to where the usual wait would be shorter", async () => {
  const { wire, clock, client } = await online();
  wire.last.says({ type: "error", code: "unavailable", message: "Later.", retryable: true, retry_after_ms: 9000 });
  wire.last.drops(1006);
  assert.equal(client.state.retryAt - clock.now(), 9000);
});

test("drain: the connection serves on for the wait, then another is opened at once", async () => {
  const { wire, clock, client } = await online();
  const told = [];
  client.on("drain", (frame) => told.push(frame));
  wire.last.says({ type: "drain", retry_after_ms: 3000, deadline_ms: 300_000 });
  assert.equal(told[0].deadline_ms, 300_000);
  await clock.pass(2999);
  assert.equal(client.state.state, "online");
  await clock.pass(1);
  await clock.pass(0);
  assert.equal(wire.sockets[0].closed, true);
  assert.equal(wire.sockets.length, 2);
});

test("after a drain the waits begin at the first", async () => {
  const { wire, clock, client } = await online();
  wire.last.says({ type: "drain", retry_after_ms: 3000, deadline_ms: 300_000 });
  await clock.pass(3000);
  await clock.pass(0);
  wire.last.drops();
  assert.deepEqual([client.state.attempt, client.state.retryAt - clock.now()], [1, 1000]);
});

test("drain: where the server closes before the wait is over, the wait is kept all the same", async () => {
  const { wire, clock, client } = await online();
  wire.last.says({ type: "drain", retry_after_ms: 3000, deadline_ms: 300_000 });
  await clock.pass(500);
  wire.last.drops(4001);
  assert.equal(client.state.reason, "drain");
  await clock.pass(2499);
  assert.equal(wire.sockets.length, 1);
  await clock.pass(1);
  assert.equal(wire.sockets.length, 2);
});

for (const code of [1000, 1001, 1006, 1011, 1012, 4001, 4002, 4003, 4004, 4005, 4029, 4100]) {
  test(`close code ${code}: connected again`, async () => {
    const { wire, clock, client } = await online();
    wire.last.drops(code);
    assert.equal(client.state.state, "waiting");
    await clock.pass(1000);
    assert.equal(wire.sockets.length, 2);
  });
}

for (const [code, reason] of [[4500, "bad_frame"], [4501, "unauthenticated"], [4503, "forbidden"], [4509, "too_many_errors"], [4700, "refused"]]) {
  test(`close code ${code} is final, and the state says why`, async () => {
    const { wire, clock, client, page } = await online();
    wire.last.drops(code);
    assert.deepEqual(client.state, { state: "closed", attempt: 0, retryAt: null, trying: false, reason, code, transport: null });
    page.window.dispatchEvent(new Event("online"));
    await clock.pass(100_000);
    assert.equal(wire.sockets.length, 1);
    client.connect();
    await settled();
    wire.last.opens();
    assert.equal("session" in wire.last.heard()[0], false, "a new session");
  });
}

test("close() ends it: no timer is left, and the state says that it was asked for", async () => {
  const { client, wire, clock } = await inRoom();
  client.close();
  assert.equal(wire.last.closed, true);
  assert.deepEqual([client.state.state, client.state.reason], ["closed", "asked"]);
  assert.equal(clock.pending, 0);
});

test("close() while a token is being fetched opens nothing", async () => {
  let give;
  const { client, wire } = stage({ getToken: () => new Promise((resolve) => { give = resolve; }) });
  client.connect();
  client.close();
  give("t");
  await settled();
  assert.equal(wire.sockets.length, 0);
});

test("nothing received for timeout_ms: the connection is dead", async () => {
  const { wire, clock, client } = await online({ welcome: { timeout_ms: 60_000 } });
  await clock.pass(50_000);
  wire.last.says({ type: "heartbeat", n: 1, heads: {} });
  await clock.pass(59_999);
  assert.equal(client.state.state, "online");
  await clock.pass(1);
  assert.deepEqual([client.state.state, client.state.reason], ["waiting", "timeout"]);
  assert.equal(wire.sockets[0].closed, true);
});

test("a server that does not answer hello counts as unreachable", async () => {
  const { client, wire, clock } = stage();
  client.connect();
  await settled();
  wire.last.opens();
  await clock.pass(15_000);
  assert.deepEqual([client.state.state, client.state.reason], ["waiting", "unreachable"]);
});

test("a socket that cannot even be made counts as unreachable", async () => {
  const { client } = stage({ WebSocket: class { constructor() { throw new SyntaxError("bad address"); } } });
  client.connect();
  await settled();
  assert.deepEqual([client.state.state, client.state.reason], ["waiting", "unreachable"]);
});

test("waking up asks for a sign of life; without one the connection is given up after 5 s", async () => {
  const { wire, clock, client, page } = await inRoom();
  await clock.pass(20_000);
  wire.last.heard();
  page.window.dispatchEvent(new Event("online"));
  assert.deepEqual(wire.last.heard().map(({ type, limit }) => [type, limit]), [["fetch", 1]]);
  await clock.pass(5000);
  assert.equal(client.state.reason, "timeout");
});

test("waking up with an answer: all is well", async () => {
  const { wire, clock, client, page } = await inRoom();
  await clock.pass(20_000);
  page.window.dispatchEvent(new Event("online"));
  const { ref } = wire.last.heard().at(-1);
  wire.last.says({ type: "page", ref, conversation: ROOM, events: [], head: 0 });
  await clock.pass(30_000);
  assert.equal(client.state.state, "online");
});

test("waking up after longer than timeout_ms (a laptop was closed): connected anew at once", async () => {
  const { wire, clock, client, page } = await online();
  clock.sleep(3_600_000);
  page.document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(client.state.reason, "timeout");
  await clock.pass(0);
  assert.equal(wire.sockets.length, 2);
});

test("the browser says that the network is gone: a connection that does not answer is given up in seconds", async () => {
  const { clock, client, page } = await inRoom();
  page.window.dispatchEvent(new Event("offline"));
  await clock.pass(5000);
  assert.equal(client.state.state, "waiting");
});

test("what an old socket still says is not heard", async () => {
  const { wire, clock, client } = await online();
  wire.last.says({ type: "drain", retry_after_ms: 0, deadline_ms: 1000 });
  await clock.pass(1000);
  const [old] = wire.sockets;
  old.drops(4501);
  assert.notEqual(client.state.state, "closed");
});

test("a session that is ended under way: the state says so, and no session is claimed afterwards", async () => {
  const { wire, client } = await online({ welcome: { session: "s1" } });
  wire.last.says({ type: "session:expired", session: "s1", reason: "staff", message: "Staff ended this session." });
  wire.last.drops(4501);
  assert.deepEqual([client.state.state, client.state.reason], ["closed", "session_expired"]);
});

test("session:expired is told, and a new session goes on from the cursor", async () => {
  const scene = await inRoom();
  const told = [];
  scene.client.on("session:expired", (frame) => told.push(frame.message));
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  await welcomed(scene, { session: "s2", resumed: [{ conversation: ROOM, ok: true }] });
  scene.wire.last.says({ type: "session:expired", session: "s1", reason: "away", message: "You were away for more than an hour." }, joined());
  assert.deepEqual(told, ["You were away for more than an hour."]);
  scene.wire.last.drops();
  await scene.clock.pass(2000);
  scene.wire.last.opens();
  assert.equal(scene.wire.last.heard()[0].session, "s2");
});
