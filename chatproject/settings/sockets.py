"""Sockets and streams: hints, polling, batches, heartbeats, sessions, presence, shared state."""

from chatproject.lib import environment as env
from chatproject.settings.places import REDIS_URL

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "realtime.groups.RoomLayer",
        # With RESP3, redis-py writes every message that comes in into a log line that nobody reads, byte by byte.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "protocol": 2, "socket_timeout": 2, "socket_connect_timeout": 2}]},
    }
}
# Milliseconds that publishing one hint may take before it is given up.
HINT_TIMEOUT_MS = env.number("HINT_TIMEOUT_MS", 250, least=1)
# Milliseconds between two looks at the heads of the open rooms, and while Redis is away.
POLL_MS = env.number("POLL_MS", 1000, least=10)
POLL_MS_WITHOUT_REDIS = env.number("POLL_MS_WITHOUT_REDIS", 200, least=10)
# Bytes of one frame from a client at most.
FRAME_MAX_BYTES = env.number("FRAME_MAX_BYTES", 65536, least=1024)
# Bytes of one WebSocket message to a client at most, and of what may wait for a slow one.
BATCH_MAX_BYTES = env.number("BATCH_MAX_BYTES", 262144, least=65536)
# WebSocket messages that may be unacknowledged before the rest waits.
ACK_WINDOW = env.number("ACK_WINDOW", 20, least=2)
# Seconds until an unacknowledged message closes the connection (4003).
ACK_SECONDS = env.number("ACK_SECONDS", 30, least=1)
# Milliseconds that a frame may wait for others under load.
BATCH_MS = env.number("BATCH_MS", 50, least=0)
# Milliseconds between heartbeats, and of silence after which a connection is closed (4002).
HEARTBEAT_MS = env.number("HEARTBEAT_MS", 25000, least=100)
TIMEOUT_MS = env.number("TIMEOUT_MS", 60000, least=100)
# Seconds that clients, and answers that are being written, may take to leave a process that was asked to end.
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 300, least=0)
# Seconds of silence after which a session is over; until then it is taken up again, on any server.
SESSION_SECONDS = env.number("SESSION_SECONDS", 3600, least=1)
# Seconds between two signs of life of the sessions that are connected.
SESSION_RENEW_SECONDS = env.number("SESSION_RENEW_SECONDS", 30, least=1)
# Bytes of the JSON that a caller may keep in a session.
SESSION_DATA_BYTES = env.number("SESSION_DATA_BYTES", 16384, least=2)
# Seconds between two looks for sessions that are over.
SWEEP_SESSIONS_SECONDS = env.number("SWEEP_SESSIONS_SECONDS", 60, least=0)
# Milliseconds within which what a client asks for is done; then it is told to try again.
ANSWER_MS = env.number("ANSWER_MS", 2000, least=1)
# Seconds within which the first frame must come; and the head of a request, where uvicorn serves.
HELLO_SECONDS = env.number("HELLO_SECONDS", 10, least=1)
# Clients whose `hello` a process answers at the same time, and how many may wait for that; the others are told when it
# is their turn (`rate_limited`).
HELLO_AT_ONCE = env.number("HELLO_AT_ONCE", 16, least=1)
HELLO_WAITING = env.number("HELLO_WAITING", 1000, least=0)
# Events that a resume replays at most; more is answered with a snapshot.
CATCHUP_MAX = env.number("CATCHUP_MAX", 1000, least=1)
# Bytes of the snapshot in a `resync`.
SNAPSHOT_MAX_BYTES = env.number("SNAPSHOT_MAX_BYTES", 131072, least=1024)
# Milliseconds that somebody may be gone without being shown as gone.
PRESENCE_GRACE_MS = env.number("PRESENCE_GRACE_MS", 5000, least=0)
# Milliseconds between two looks at who is there, and seconds after which a process that does not look is gone.
PRESENCE_SWEEP_MS = env.number("PRESENCE_SWEEP_MS", 10_000, least=100)
PRESENCE_SECONDS = env.number("PRESENCE_SECONDS", 30, least=1)
# Shared state of a room: keys at most, bytes of one value, seconds that the loser of a conflict is kept.
ROOM_STATE_KEYS = env.number("ROOM_STATE_KEYS", 100, least=1)
ROOM_STATE_BYTES = env.number("ROOM_STATE_BYTES", 4096, least=16)
ROOM_STATE_CONFLICT_SECONDS = env.number("ROOM_STATE_CONFLICT_SECONDS", 3600, least=0)
# Recent events that a room keeps in memory.
ROOM_TAIL = env.number("ROOM_TAIL", 200, least=1)
# Connections that share a channel group (a sub-room) of a conversation at most.
ROOM_SIZE = env.number("ROOM_SIZE", 50, least=1)
# Connections to one conversation at most, over all processes (`room_full`); 0 = any number.
ROOM_LIMIT = env.number("ROOM_LIMIT", 0, least=0)
# Seconds after which the seats that a dead process had in rooms are free; living ones renew theirs in time.
ROOM_SEAT_SECONDS = env.number("ROOM_SEAT_SECONDS", 60, least=1)
# Seconds after which a stream of server-sent events without news gets a comment, so that proxies keep it open.
SSE_COMMENT_SECONDS = env.number("SSE_COMMENT_SECONDS", 15, least=1)
# Conversations of one user's stream that bring their events at once, at most, and seconds without news after which
# one does no longer; the others are looked at every POLL_MS.
STREAM_ROOMS = env.number("STREAM_ROOMS", 50, least=1)
STREAM_ROOM_SECONDS = env.number("STREAM_ROOM_SECONDS", 120, least=1)
# Conversations that the `id` of such a stream names one by one at most; bounds its length.
STREAM_AHEAD = env.number("STREAM_AHEAD", 64, least=1)
# Conversations that one connection may have open at once.
ROOMS_PER_CONNECTION = env.number("ROOMS_PER_CONNECTION", 100, least=1)
# Objects that a web process makes between two collections of garbage; 0 = as Python does it by itself.
GC_THRESHOLD = env.number("GC_THRESHOLD", 50_000, least=0)
