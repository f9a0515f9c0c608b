"""Channel groups: one per sub-room, their names, and a layer that sends the hints of one commit together."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from channels_redis.utils import _wrap_close
from redis.exceptions import NoScriptError

# Publishes each message to every sub-room of its conversation, however many there are just now (shards.py keeps
# the number). KEYS: one per conversation. ARGV: in turn the name of its groups without the number, and the message.
SEND = """
for i, key in ipairs(KEYS) do
    local rooms = tonumber(redis.call('HGET', key, 'rooms') or '1')
    for shard = 0, rooms - 1 do redis.call('PUBLISH', ARGV[2 * i - 1] .. shard, ARGV[2 * i]) end
end
"""


def group_of(conversation: UUID, shard: int) -> str:
    """The channel group of a sub-room (PROTOCOL.md section 4: `c.<hex>.s<n>`)."""
    return f"{_stem(conversation)}{shard}"


def rooms_key(conversation: UUID) -> str:
    """Where Redis keeps how many sub-rooms a conversation has, and who has places there."""
    return f"rooms:{{{conversation.hex}}}"


def _stem(conversation: UUID) -> str:
    return f"c.{conversation.hex}.s"


class _LoopLayer(RedisPubSubLoopLayer):
    """Where there are several Redis servers, all sub-rooms of a conversation are at the same one."""

    def _get_shard(self, channel_or_group_name: str) -> Any:
        return super()._get_shard(channel_or_group_name.rpartition(".s")[0] or channel_or_group_name)


class RoomLayer(RedisPubSubChannelLayer):
    """channels-redis' pub/sub layer; many group sends cost one round trip per Redis server instead of one each."""

    def _get_layer(self) -> _LoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = _LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return self._layers[loop]

    async def send_groups(self, messages: Mapping[UUID, dict[str, Any]]) -> None:
        """Publish one message to all groups of each conversation. Raises RedisError; what was sent stays sent."""
        layer = self._get_layer()
        by_server: dict[Any, tuple[list[str], list[str | bytes]]] = {}
        for conversation, message in messages.items():
            keys, arguments = by_server.setdefault(self.server_of(conversation), ([], []))
            keys.append(rooms_key(conversation))
            arguments += layer._get_group_channel_name(_stem(conversation)), self.serialize(message)
        for server, (keys, arguments) in by_server.items():
            await evaluate(server, SEND, keys, arguments)

    def server_of(self, conversation: UUID) -> Any:
        """The client of the Redis server that has a conversation's groups, for the running event loop."""
        layer = self._get_layer()
        shard = layer._get_shard(layer._get_group_channel_name(group_of(conversation, 0)))
        shard._ensure_redis()
        return shard._redis

    async def ping(self) -> None:
        """Raises RedisError where a server does not answer."""
        for shard in self._get_layer()._shards:
            shard._ensure_redis()
            await shard._redis.ping()


async def evaluate(server: Any, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run a Lua script, which Redis knows by its hash after the first time. Raises RedisError."""
    try:
        return await server.evalsha(_hash(script), len(keys), *keys, *arguments)
    except NoScriptError:
        return await server.eval(script, len(keys), *keys, *arguments)


@cache
def _hash(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
