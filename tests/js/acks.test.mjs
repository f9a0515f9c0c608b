import assert from "node:assert/strict";
import test from "node:test";
import { event, inRoom, online } from "./support/stage.mjs";

const acksOf = (socket) => socket.heard({ acks: true }).filter(({ type }) => type === "ack").map(({ n }) => n);

test("the first unacknowledged message is acknowledged after one second; welcome is 1", async () => {
  const { wire, clock } = await online();
  await clock.pass(999);
  assert.deepEqual(acksOf(wire.last), []);
  await clock.pass(1);
  assert.deepEqual(acksOf(wire.last), [1]);
  await clock.pass(10_000);
  assert.deepEqual(acksOf(wire.last), [], "nothing new, nothing said");
});

test("when half of the window has come in, the ack goes at once", async () => {
  const { wire } = await online({ welcome: { ack_window: 8 } });
  wire.last.says({ type: "x" }, { type: "x" });
  assert.deepEqual(acksOf(wire.last), []);
  wire.last.says({ type: "x" });
  assert.deepEqual(acksOf(wire.last), [4]);
  wire.last.says({ type: "x" }, { type: "x" }, { type: "x" }, { type: "x" });
  assert.deepEqual(acksOf(wire.last), [8]);
});

test("messages are counted, not frames: a batch is one, and so is what cannot be read", async () => {
  const { wire, clock } = await inRoom();
  wire.last.says([event(1), event(2), event(3)], "{nonsense");
  await clock.pass(1000);
  assert.deepEqual(acksOf(wire.last), [4]);
});

test("the second is measured from the first unacknowledged message, not from the last", async () => {
  const { wire, clock } = await online();
  for (let n = 0; n < 4; n += 1) {
    await clock.pass(250);
    wire.last.says({ type: "x" });
  }
  assert.deepEqual(acksOf(wire.last), [4]);
});

test("each connection counts for itself", async () => {
  const { wire, clock } = await online();
  wire.last.says({ type: "x" });
  await clock.pass(1000);
  wire.last.drops();
  await clock.pass(1000);
  wire.last.opens();
  wire.last.says({ type: "welcome", session: "s1", ack_window: 20, timeout_ms: 60000 });
  await clock.pass(1000);
  assert.deepEqual(acksOf(wire.last), [1]);
});
