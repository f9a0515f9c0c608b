import assert from "node:assert/strict";
import test from "node:test";
import { settled } from "./support/clock.mjs";
import { online, stage, welcomed } from "./support/stage.mjs";

/** `getToken` that gives t1, t2, … and remembers how it was asked. */
function tokens() {
  const asked = [];
  const getToken = async (ask) => `t${asked.push(ask)}`;
  return { asked, getToken };
}

async function helloOf(scene) {
  await settled();
  scene.wire.last.opens();
  return scene.wire.last.heard()[0];
}

test("without token and ticket the cookie counts, and hello says neither", async () => {
  const scene = stage();
  scene.client.connect();
  assert.deepEqual(Object.keys(await helloOf(scene)).sort(), ["client_id", "type", "v"]);
});

test("the token goes into hello, never into the address, and is asked for once", async () => {
  const { asked, getToken } = tokens();
  const scene = stage({ getToken });
  scene.client.connect();
  assert.equal((await helloOf(scene)).token, "t1");
  assert.equal(scene.wire.last.url.includes("t1"), false);
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  assert.equal((await helloOf(scene)).token, "t1");
  assert.deepEqual(asked, [{ renew: false }]);
});

test("a ticket is good for one hello: a function is asked each time, a string is used once", async () => {
  let count = 0;
  const scene = stage({ ticket: async () => `ticket${(count += 1)}` });
  scene.client.connect();
  assert.equal((await helloOf(scene)).ticket, "ticket1");
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  assert.equal((await helloOf(scene)).ticket, "ticket2");

  const other = stage({ ticket: "only" });
  other.client.connect();
  assert.equal((await helloOf(other)).ticket, "only");
  other.wire.last.drops();
  await other.clock.pass(1000);
  assert.equal("ticket" in (await helloOf(other)), false);
});

test("4004: the token is renewed before the next hello", async () => {
  const { asked, getToken } = tokens();
  const scene = await online({ getToken });
  scene.wire.last.drops(4004);
  await scene.clock.pass(1000);
  assert.equal((await helloOf(scene)).token, "t2");
  scene.wire.last.drops(1006);
  await scene.clock.pass(2000);
  assert.equal((await helloOf(scene)).token, "t2", "and then kept");
  assert.deepEqual(asked, [{ renew: false }, { renew: true }]);
});

test("a token that cannot be had is a try in vain like any other", async () => {
  let broken = true;
  const scene = stage({ getToken: async () => { if (broken) throw new Error("503"); return "t"; } });
  scene.client.connect();
  await settled();
  assert.deepEqual([scene.client.state.state, scene.client.state.reason], ["waiting", "token_unavailable"]);
  assert.equal(scene.wire.sockets.length, 0);
  broken = false;
  await scene.clock.pass(1000);
  assert.equal((await helloOf(scene)).token, "t");
});

test("auth:renewed is told, handed to onToken, and used from then on", async () => {
  const kept = [];
  const { asked, getToken } = tokens();
  const scene = await online({ getToken, onToken: (access, expires) => kept.push([access, expires]) });
  const told = [];
  scene.client.on("auth:renewed", ({ access }) => told.push(access));
  scene.wire.last.says({ type: "auth:renewed", access: "fresh", expires_at: "2025-01-02T00:00:00.000Z" });
  assert.deepEqual(told, ["fresh"]);
  assert.deepEqual(kept, [["fresh", "2025-01-02T00:00:00.000Z"]]);
  assert.deepEqual(scene.wire.last.heard().filter(({ type }) => type === "auth").map(({ token }) => token), ["fresh"]);
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  assert.equal((await helloOf(scene)).token, "fresh");
  assert.equal(asked.length, 1);
});

test("where the cookie counts, a renewed token is told but not used", async () => {
  const scene = await online();
  scene.wire.last.says({ type: "auth:renewed", access: "fresh", expires_at: "2025-01-02T00:00:00.000Z" });
  assert.deepEqual(scene.wire.last.heard().filter(({ type }) => type === "auth"), []);
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  assert.equal("token" in (await helloOf(scene)), false);
});

test("token_expired while online: a new token is fetched and sent as auth", async () => {
  const { getToken } = tokens();
  const { wire } = await online({ getToken });
  wire.last.heard();
  wire.last.says({ type: "error", code: "token_expired", message: "Expired.", retryable: true });
  await settled();
  assert.deepEqual(wire.last.heard().map(({ type, token }) => [type, token]), [["auth", "t2"]]);
});

test("hello with an expired token, answered token_expired and 4501: renewed and tried again, not final", async () => {
  const { getToken } = tokens();
  const scene = stage({ getToken });
  scene.client.connect();
  await helloOf(scene);
  scene.wire.last.says({ type: "error", code: "token_expired", message: "Expired.", retryable: false });
  scene.wire.last.drops(4501);
  assert.equal(scene.client.state.state, "waiting");
  await scene.clock.pass(1000);
  assert.equal((await helloOf(scene)).token, "t2");
});

test("where nothing can renew the token, 4501 is final", async () => {
  const scene = stage({ token: "t" });
  scene.client.connect();
  await helloOf(scene);
  scene.wire.last.says({ type: "error", code: "token_expired", message: "Expired.", retryable: false });
  scene.wire.last.drops(4501);
  assert.equal(scene.client.state.state, "closed");
});

test("auth() tells the server of a token that the page got elsewhere", async () => {
  const scene = await online({ token: "old" });
  scene.wire.last.heard();
  scene.client.auth("new");
  assert.deepEqual(scene.wire.last.heard().map(({ type, token }) => [type, token]), [["auth", "new"]]);
});

test("another user on the same browser ends it: what is unsent here is not sent in their name", async () => {
  const scene = await online();
  scene.wire.last.drops();
  await scene.clock.pass(1000);
  await welcomed(scene, { user: { id: "u2", name: "Bob" } });
  assert.deepEqual([scene.client.state.state, scene.client.state.reason], ["closed", "user_changed"]);
  assert.equal(scene.wire.last.closed, true);
});
