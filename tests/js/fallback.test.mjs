import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { settled } from "./support/clock.mjs";
import { HttpServer, until } from "./support/http.mjs";
import { EPOCH, ROOM, delta, event, events, joined, listen, runStart, seqs, stage, welcome } from "./support/stage.mjs";

let server;

beforeEach(async () => {
  server = new HttpServer();
  await server.start();
});

afterEach(() => server.stop());

/** A client whose first WebSocket does not get through, in ROOM by server-sent events. */
async function blocked({ position = { epoch: EPOCH, seq: 0 }, block = (socket) => socket.drops(), ...options } = {}) {
  const scene = stage({ fetch, url: `${server.url.replace("http", "ws")}/ws/`, ...options });
  const room = scene.client.join(ROOM, position);
  const told = listen(room);
  scene.client.connect();
  await settled();
  await block(scene.wire.last);
  await until(() => scene.client.state.transport === "sse");
  await until(() => server.streams > 0);
  return { ...scene, room, told };
}

/** A minute in which the stream gives a sign of life, as it does every 15 seconds. */
async function minute({ clock, told }) {
  await clock.pass(30_000);
  const heard = told.presence.length;
  server.tell({ type: "user:join", conversation: ROOM, users: [], online: 1 });
  await until(() => told.presence.length > heard);
  await clock.pass(30_000);
}

test("a WebSocket that is refused: the same events and pieces of answers, by server-sent events", async () => {
  server.log.push(...events(1, 3));
  const { client, room, told } = await blocked();
  await until(() => told.event.length === 3);
  server.append(runStart(4));
  server.tell(delta(0, "Hello, "));
  server.tell(delta(7, "Alice"));
  await until(() => told.delta.length === 2);
  assert.deepEqual(seqs(told.event), [1, 2, 3, 4]);
  assert.equal(room.text("run1"), "Hello, Alice");
  assert.deepEqual([client.state.state, client.state.transport, client.user.name], ["online", "sse", "Alice"]);
  assert.deepEqual([room.role, room.joined], ["owner", true]);
  client.close();
  await until(() => server.streams === 0);
});

test("a WebSocket that is swallowed is given up after five seconds", async () => {
  const { clock, client } = stage({ fetch, url: `${server.url.replace("http", "ws")}/ws/` });
  client.connect();
  await clock.pass(4900);
  assert.equal(client.state.state, "connecting");
  await clock.pass(200);
  await until(() => client.state.transport === "sse");
  client.close();
});

test("what is written goes by POST with its cmid, once; what was in flight on the way is sent again", async () => {
  const { client, room, told } = await blocked();
  const { cmid, acknowledged } = room.send("Hello");
  assert.equal((await acknowledged).seq, 1);
  assert.deepEqual(server.posted.map((body) => [body.cmid, body.text, body.conversation]), [[cmid, "Hello", undefined]]);
  await until(() => told.event.length === 1);
  assert.deepEqual(room.unsent, []);
  client.close();
});

test("after a minute a WebSocket is tried beside; welcomed, it takes over at the cursor, and nothing is doubled", async () => {
  server.log.push(...events(1, 2));
  const scene = await blocked();
  const { client, wire, told, states } = scene;
  await until(() => told.event.length === 2);
  await minute(scene);
  await until(() => wire.sockets.length === 2);
  assert.equal(client.state.transport, "sse");
  wire.last.opens();
  await settled();
  const [hello] = wire.last.heard();
  assert.deepEqual(hello.resume, [{ conversation: ROOM, epoch: EPOCH, seq: 2, runs: {} }]);
  server.append(event(3)); // comes by both
  await until(() => told.event.length === 3);
  wire.last.says(welcome({ resumed: [{ conversation: ROOM, ok: true, epoch: EPOCH, head: 3 }] }));
  wire.last.says(joined({ head: 3 }), { type: "catchup", conversation: ROOM, events: [event(3)], head: 3, done: true }, event(4));
  await until(() => server.streams === 0);
  assert.deepEqual(seqs(told.event), [1, 2, 3, 4]);
  assert.equal(client.state.transport, "websocket");
  assert.ok(states.every(({ state }) => ["connecting", "online"].includes(state)), "the page saw no break");
  client.close();
});

test("a try in vain changes nothing, and is made again; at once when somebody looks at the page", async () => {
  const scene = await blocked();
  const { client, wire, page, told } = scene;
  await minute(scene);
  wire.last.drops();
  assert.deepEqual([client.state.transport, wire.sockets.length], ["sse", 2]);
  page.document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  assert.equal(wire.sockets.length, 3);
  wire.last.opens();
  wire.last.drops(1001);
  await minute(scene);
  assert.equal(wire.sockets.length, 4);
  server.append(event(1));
  await until(() => told.event.length === 1);
  client.close();
});

test("where HTTP fails too, the network is gone: the usual waits", async () => {
  server.status = 503;
  const { client, clock, wire } = stage({ fetch, url: `${server.url.replace("http", "ws")}/ws/` });
  client.connect();
  await settled();
  wire.last.drops();
  await until(() => client.state.state === "waiting");
  assert.deepEqual([client.state.attempt, client.state.retryAt - clock.now()], [1, 1000]);
  await clock.pass(1000);
  assert.equal(wire.sockets.length, 2);
  client.close();
});

test("what the server itself says is no blockade", async () => {
  const { client, wire } = stage({ fetch, url: `${server.url.replace("http", "ws")}/ws/` });
  client.connect();
  await settled();
  wire.last.opens();
  wire.last.drops(4501);
  assert.deepEqual([client.state.state, client.state.reason, server.asked.length], ["closed", "unauthenticated", 0]);
});

test("a stream that fails at its beginning is opened again, not before the server said", async () => {
  const { client, clock, told } = await blocked();
  await until(() => server.streams === 1);
  server.tell({ type: "error", code: "unavailable", message: "Try again.", retryable: true, retry_after_ms: 5000 });
  server.endStreams();
  await until(() => client.state.state === "waiting");
  assert.ok(client.state.retryAt - clock.now() >= 5000);
  server.append(event(1));
  await clock.pass(client.state.retryAt - clock.now());
  await until(() => told.event.length === 1);
  client.close();
});

test("a session that is ended under way is over, as on a socket", async () => {
  const { client } = await blocked();
  await until(() => server.streams === 1);
  server.tell({ type: "session:expired", session: "s1", reason: "staff", message: "Staff ended this session." });
  await until(() => client.state.state === "closed");
  assert.equal(client.state.reason, "session_expired");
});

test("a stream that breaks is taken up at the cursor", async () => {
  server.log.push(...events(1, 2));
  const { client, clock, told } = await blocked();
  await until(() => told.event.length === 2);
  server.endStreams();
  await until(() => client.state.state === "waiting");
  server.append(event(3));
  await clock.pass(client.state.retryAt - clock.now());
  await until(() => told.event.length === 3);
  assert.deepEqual(seqs(told.event), [1, 2, 3]);
  client.close();
});

test("a cursor that is void is replaced by a snapshot", async () => {
  server.log.push(...events(1, 5));
  const { client, told } = await blocked({ position: { epoch: "e0", seq: 9 } });
  await until(() => told.resync.length === 1);
  assert.deepEqual([told.resync[0].epoch, told.resync[0].seq, told.resync[0].reason], [EPOCH, 5, "epoch"]);
  server.append(event(6));
  await until(() => told.event.length === 1);
  assert.equal(told.event[0].seq, 6);
  client.close();
});

test("a token goes along with every request, and never in an address", async () => {
  const { client, room } = await blocked({ token: "secret" });
  await room.send("Hello").acknowledged;
  assert.ok(server.asked.length >= 5);
  assert.ok(server.asked.every(({ headers }) => headers.authorization === "Bearer secret"));
  assert.ok(server.asked.every(({ path }) => !path.includes("secret")));
  client.close();
});

test("a message that is too large for a frame is a request, under the same cmid, while the WebSocket stays", async () => {
  const scene = stage({ fetch, url: `${server.url.replace("http", "ws")}/ws/` });
  const room = scene.client.join(ROOM, { epoch: EPOCH, seq: 0 });
  scene.client.connect();
  await settled();
  scene.wire.last.opens();
  await settled();
  scene.wire.last.says(welcome({ resumed: [{ conversation: ROOM, ok: true, epoch: EPOCH, head: 0 }] }), joined());
  const { cmid, acknowledged } = room.send("漢".repeat(32_000));
  assert.equal((await acknowledged).seq, 1);
  assert.deepEqual(server.posted.map((body) => body.cmid), [cmid]);
  assert.ok(!scene.wire.last.heard().some(({ type }) => type === "send"));
  assert.deepEqual([scene.client.state.transport, scene.wire.sockets.length], ["websocket", 1]);
  scene.client.close();
});

test("a token that an answer brings is told, and shown from then on", async () => {
  const kept = [];
  const exp = Date.UTC(2030, 0, 1) / 1000;
  const fresh = `x.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.y`;
  const { client, room } = await blocked({ token: "old", onToken: (...told) => kept.push(told) });
  assert.equal(server.asked.at(-1).headers.authorization, "Bearer old");
  server.renewal = fresh;
  await room.send("One").acknowledged;
  server.renewal = null;
  await room.send("Two").acknowledged;
  assert.deepEqual(kept, [[fresh, "2030-01-01T00:00:00.000Z"]]);
  assert.equal(server.asked.at(-1).headers.authorization, `Bearer ${fresh}`);
  client.close();
});
