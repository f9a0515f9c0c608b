"""Channel groups: one per room, their names, and a layer that sends the hints of one commit together."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from channels_redis.pubsub import RedisPubSubChannelLayer


def group_of(conversation: UUID) -> str:
    """The channel group of a room (PROTOCOL.md section 4: `c.<hex>.s<n>`)."""
    return f"c.{conversation.hex}.s0"


class RoomLayer(RedisPubSubChannelLayer):
    """channels-redis' pub/sub layer; many group sends cost one round trip per shard instead of one each."""

    async def send_groups(self, messages: Mapping[str, dict[str, Any]]) -> None:
        """Publish one message to each group. Raises RedisError; what was sent until then stays sent."""
        layer = self._get_layer()
        by_shard: dict[Any, list[tuple[str, bytes]]] = {}
        for group, message in messages.items():
            name = layer._get_group_channel_name(group)
            by_shard.setdefault(layer._get_shard(name), []).append((name, self.serialize(message)))
        for shard, items in by_shard.items():
            await _publish(shard, items)

    async def ping(self) -> None:
        """Raises RedisError where a shard does not answer."""
        for shard in self._get_layer()._shards:
            shard._ensure_redis()
            await shard._redis.ping()


async def _publish(shard: Any, items: list[tuple[str, bytes]]) -> None:
    shard._ensure_redis()
    pipeline = shard._redis.pipeline(transaction=False)
    for name, payload in items:
        pipeline.publish(name, payload)
    await pipeline.execute()
