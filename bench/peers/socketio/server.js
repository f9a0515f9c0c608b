// D: Socket.IO with the Redis adapter; every message is stored with one INSERT before it is sent on.
// Wants PEER_DATABASE_URL and PEER_REDIS_URL (both on sockets of this machine), and the port as its argument.
"use strict";
const { createAdapter } = require("@socket.io/redis-adapter");
const { Pool } = require("pg");
const { createClient } = require("redis");
const { Server } = require("socket.io");

// Addresses name sockets in a way that only Python's drivers read: postgresql://user:password@%2Ffolder/database,
// unix://:password@/folder/redis.sock?db=1.
function database(address) {
  const [, user, password, host, name] = /^\w+:\/\/([^:]*):([^@]*)@([^/]*)\/(\w+)/.exec(address);
  return { user, password: decodeURIComponent(password), host: decodeURIComponent(host), database: name };
}

function redis(address) {
  const [, password, path, number] = /^unix:\/\/:([^@]*)@([^?]*)\?db=(\d+)/.exec(address);
  return { password, database: Number(number), socket: { path: decodeURIComponent(path) } };
}

async function main(port) {
  const pool = new Pool({ ...database(process.env.PEER_DATABASE_URL), max: 10 });
  await pool.query(
    "CREATE TABLE IF NOT EXISTS socketio_message (id bigserial PRIMARY KEY, room text NOT NULL, body text NOT NULL, " +
      "created_at timestamptz NOT NULL DEFAULT now())",
  );
  await pool.query("CREATE INDEX IF NOT EXISTS socketio_room ON socketio_message (room, id)");
  const publisher = createClient(redis(process.env.PEER_REDIS_URL));
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const io = new Server(port, {
    adapter: createAdapter(publisher, subscriber),
    transports: ["websocket"],
    serveClient: false,
  });
  io.on("connection", (socket) => {
    socket.on("join", (room, done) => {
      socket.data.room = room;
      socket.join(room);
      done();
    });
    socket.on("chat", async (text) => {
      const { room } = socket.data;
      const insert = { name: "insert", text: "INSERT INTO socketio_message (room, body) VALUES ($1, $2)" };
      await pool.query({ ...insert, values: [room, text] });
      io.to(room).emit("chat", text);
    });
  });
}

main(Number(process.argv[2]));
