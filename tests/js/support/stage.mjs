import { Client } from "../../../realtime/static/realtime/client.js";
import { FakeClock, settled } from "./clock.mjs";
import { fakeWebSocket } from "./socket.mjs";

export const ROOM = "0190c0de-0000-7000-8000-000000000001";
export const EPOCH = "e1";

/** A client, the far end of its wire, and time; `log` is what the page was told. */
export function stage(options = {}) {
  const clock = options.clock ?? new FakeClock();
  const { WebSocket, wire } = fakeWebSocket();
  const page = { window: new EventTarget(), document: Object.assign(new EventTarget(), { visibilityState: "visible" }) };
  const client = new Client({ url: "ws://test/ws/", clientId: "tab-1", WebSocket, fetch: null, clock, page, random: () => 0.5, ...options });
  const states = [];
  client.on("state", (state) => states.push(state));
  return { client, clock, wire, page, states };
}

/** The usual opening: connected, welcomed. */
export async function online(options = {}) {
  const scene = stage(options);
  scene.client.connect();
  await welcomed(scene, options.welcome);
  return scene;
}

export async function welcomed(scene, fields = {}) {
  await settled();
  scene.wire.last.opens();
  await settled();
  scene.wire.last.says(welcome(fields));
}

/** The connection is lost, and after the wait the next one is welcomed. ROOM is resumed unless `fields` say otherwise. */
export async function reconnected(scene, { code, ...fields } = {}) {
  scene.wire.last.drops(code);
  await scene.clock.pass(scene.client.state.retryAt - scene.clock.now());
  await welcomed(scene, { resumed: [{ conversation: ROOM, ok: true, epoch: EPOCH, head: 0 }], ...fields });
}

/** Online, and joined to ROOM at `seq`; `told` collects what the room says. */
export async function inRoom({ position = { epoch: EPOCH, seq: 0 }, joined: fields = {}, ...options } = {}) {
  const scene = await online(options);
  const room = scene.client.join(ROOM, position);
  const told = listen(room);
  const [join] = scene.wire.last.heard().filter(({ type }) => type === "join");
  scene.wire.last.says(joined({ ref: join.ref, head: position.seq ?? 0, ...fields }));
  return { ...scene, room, told };
}

const TYPES = ["joined", "event", "delta", "resync", "sent", "failed", "presence", "typing", "read", "state", "degraded", "error", "left"];

/** `{event: [...], delta: [...], …}`, and `order`: the types as they came. */
export function listen(room) {
  const told = Object.fromEntries(TYPES.map((type) => [type, []]));
  told.order = [];
  for (const type of TYPES) {
    room.on(type, (detail) => {
      told[type].push(detail);
      told.order.push(type);
    });
  }
  return told;
}

// ---- frames of the server

export const welcome = (fields = {}) => ({
  type: "welcome", session: "s1", user: { id: "u1", name: "Alice" }, server_time: "2025-01-01T00:00:00.000Z",
  heartbeat_ms: 25000, timeout_ms: 60000, ack_window: 20, batch_ms: 50, resumed: [], ...fields,
});

export const joined = (fields = {}) => ({
  type: "joined", conversation: ROOM, epoch: EPOCH, head: 0, role: "owner", shard: 0, online: 1,
  members: [{ id: "u1", name: "Alice" }], state: {}, resumed: true, ...fields,
});

export const event = (seq, fields = {}) => ({
  type: "message:new", conversation: ROOM, seq, id: `id-${seq}`, actor: { kind: "user", id: "u1", name: "Alice" },
  at: "2025-01-01T00:00:00.000Z", data: { message: `m${seq}`, text: `text ${seq}`, action: "chat" }, ...fields,
});

export const events = (from, to) => Array.from({ length: to - from + 1 }, (_, at) => event(from + at));

export const runStart = (seq, run = "run1") =>
  event(seq, { type: "run:start", data: { run, message: `m-${run}`, assistant: "guide", reply_to: "m1" } });

export const runEnd = (seq, text, run = "run1", status = "completed") =>
  event(seq, { type: "run:end", data: { run, message: `m-${run}`, status, text, usage: {} } });

export const delta = (offset, text, run = "run1") => ({ type: "delta", conversation: ROOM, run, message: `m-${run}`, offset, text });

export const seqs = (list) => list.map(({ seq }) => seq);
