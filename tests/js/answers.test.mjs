import assert from "node:assert/strict";
import test from "node:test";
import { countCodePoints, dropCodePoints } from "../../realtime/static/realtime/codepoints.js";
import { EPOCH, ROOM, delta, event, inRoom, joined, reconnected, runEnd, runStart } from "./support/stage.mjs";

const attaches = (socket) => socket.heard().filter(({ type }) => type === "attach");

test("code points are counted, not UTF-16 units", () => {
  assert.equal(countCodePoints("a😀é漢"), 4);
  assert.equal(countCodePoints("👩‍💻"), 3);
  assert.equal(dropCodePoints("a😀b", 2), "b");
  assert.equal(dropCodePoints("😀😀", 1), "😀");
  assert.equal(dropCodePoints("ab", 5), "");
});

test("deltas grow the answer; each is told with what is new and the whole", async () => {
  const { wire, told, room } = await inRoom();
  wire.last.says(runStart(1), delta(0, "Hi "), delta(3, "you 😀"), delta(8, "!"));
  assert.deepEqual(told.delta.map(({ offset, text, full }) => [offset, text, full]), [
    [0, "Hi ", "Hi "], [3, "you 😀", "Hi you 😀"], [8, "!", "Hi you 😀!"],
  ]);
  assert.deepEqual(told.delta.map(({ run, message }) => [run, message])[0], ["run1", "m-run1"]);
  assert.equal(room.text("run1"), "Hi you 😀!");
});

test("an overlap is cut at code points, also within pairs of surrogates", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(runStart(1), delta(0, "😀😁"), delta(1, "😁😂"), delta(0, "😀😁😂"), delta(0, "😀"), delta(2, "😂x"));
  assert.deepEqual(told.delta.map(({ offset, text }) => [offset, text]), [[0, "😀😁"], [2, "😂"], [3, "x"]]);
  assert.equal(told.delta.at(-1).full, "😀😁😂x");
});

test("where something is missing it is asked for, once per run", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(runStart(1), runStart(2, "run2"), delta(0, "a😀"), delta(5, "xyz"), delta(8, "!"), delta(4, "x", "run2"));
  const asked = attaches(wire.last);
  assert.deepEqual(asked.map(({ run, offset }) => [run, offset]), [["run1", 2], ["run2", 0]]);
  assert.equal(told.delta.length, 1);
  wire.last.says(delta(2, "bcdxyz!"));
  assert.equal(told.delta.at(-1).full, "a😀bcdxyz!");
  wire.last.says(delta(9, "?"));
  assert.equal(told.delta.at(-1).full, "a😀bcdxyz!?");
  assert.deepEqual(attaches(wire.last), []);
});

test("once it has come, the next hole is asked for at once", async () => {
  const { wire } = await inRoom();
  wire.last.says(runStart(1), delta(2, "c"));
  assert.equal(attaches(wire.last).length, 1);
  wire.last.says(delta(0, "abc"), delta(9, "j"));
  assert.deepEqual(attaches(wire.last).map(({ offset }) => offset), [3]);
});

test("an attach that is not answered is asked again, a refused one after its wait", async () => {
  const { wire, clock } = await inRoom();
  wire.last.says(runStart(1), delta(5, "late"));
  assert.equal(attaches(wire.last).length, 1);
  await clock.pass(5000);
  const [{ ref }] = attaches(wire.last);
  wire.last.says({ type: "error", ref, code: "rate_limited", message: "Slowly.", retryable: true, retry_after_ms: 2000 });
  await clock.pass(1999);
  assert.equal(attaches(wire.last).length, 0);
  await clock.pass(1);
  assert.equal(attaches(wire.last).length, 1);
});

test("run:end has the last word: its text is taken over, later deltas are passed over", async () => {
  const { wire, told, room, clock } = await inRoom();
  wire.last.says(runStart(1), delta(0, "Hel"), delta(9, "gap"), runEnd(2, "Hello."), delta(3, "lo."), delta(20, "?"));
  assert.equal(told.event.at(-1).data.text, "Hello.");
  assert.equal(told.delta.length, 1);
  assert.equal(room.text("run1"), undefined);
  wire.last.heard();
  await clock.pass(20_000);
  assert.deepEqual(attaches(wire.last), [], "and nothing is asked any more");
});

test("an answer that was on screen already goes on from its length", async () => {
  const { wire, told } = await inRoom({ position: { epoch: EPOCH, seq: 1, runs: { run1: "😀 so far" } }, joined: { head: 1 } });
  wire.last.says(delta(0, "😀 so far, so"), delta(12, " good"));
  assert.deepEqual(told.delta.map(({ offset, text }) => [offset, text]), [[8, ", so"], [12, " good"]]);
  assert.equal(told.delta.at(-1).full, "😀 so far, so good");
});

test("over a reconnect the answer goes on from the client's offset", async () => {
  const scene = await inRoom();
  scene.wire.last.says(runStart(1), delta(0, "one "));
  await reconnected(scene);
  scene.wire.last.says(joined({ head: 1 }), delta(4, "two"));
  assert.equal(scene.told.delta.at(-1).full, "one two");
});

test("after resync nothing is held of any answer; the server's next delta is asked for from the start", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(runStart(1), delta(0, "one "));
  wire.last.says({ type: "resync", conversation: ROOM, epoch: EPOCH, reason: "too_far", snapshot: { seq: 5, state: {} }, head: 5 });
  wire.last.says(delta(4, "two"));
  assert.equal(attaches(wire.last)[0].offset, 0);
  wire.last.says(delta(0, "one two"));
  assert.deepEqual(told.delta.at(-1), { run: "run1", message: "m-run1", offset: 0, text: "one two", full: "one two" });
});

test("a run that had ended in the old numbering may run again in the new one", async () => {
  const { wire, told } = await inRoom();
  wire.last.says(runStart(1), delta(0, "one"), runEnd(2, "one"));
  wire.last.says({ type: "resync", conversation: ROOM, epoch: "e2", reason: "epoch", snapshot: { seq: 1, state: {} }, head: 1 });
  wire.last.says(delta(0, "one more"));
  assert.equal(told.delta.at(-1).full, "one more");
});

test("events do not wait for deltas, nor deltas for the events of others", async () => {
  const { wire, told } = await inRoom();
  wire.last.says([runStart(1), delta(0, "a"), event(2), delta(1, "b")]);
  assert.deepEqual(told.order.slice(2), ["event", "delta", "event", "delta"]);
});
