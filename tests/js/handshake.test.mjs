import assert from "node:assert/strict";
import test from "node:test";
import { settled } from "./support/clock.mjs";
import { EPOCH, ROOM, event, inRoom, joined, listen, online, seqs, stage, welcome } from "./support/stage.mjs";

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

test("events are given out once and in order", async () => {
  const { wire, told, room } = await inRoom();
  wire.last.says(event(1), [event(2), event(3)], event(2));
  assert.deepEqual(seqs(told.event), [1, 2, 3]);
  assert.equal(room.seq, 3);
});
