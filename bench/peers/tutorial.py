"""C: the consumer of Channels' tutorial, which also stores every message before it is sent on.

Core Redis layer, one INSERT per message through the ORM, a connection that persists. Wants PEER_DATABASE_URL and
PEER_REDIS_URL. Run by uvicorn or daphne as `bench.peers.tutorial:application`.
"""

import json
import os
from typing import Any

import dj_database_url
import django
from django.conf import settings

REDIS = {"address": os.environ["PEER_REDIS_URL"], "socket_timeout": 60}

settings.configure(
    SECRET_KEY="peer",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    USE_TZ=True,
    DATABASES={"default": dj_database_url.parse(os.environ["PEER_DATABASE_URL"], conn_max_age=None)},
    # redis-py's own limit of 5 s is as long as the layer waits for a message: idle consumers would die of it.
    CHANNEL_LAYERS={"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS]}}},
)
django.setup()

from channels.db import database_sync_to_async  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import path  # noqa: E402


class Message(models.Model):
    objects: "models.Manager[Message]" = models.Manager()
    room = models.CharField(max_length=64)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "peers"
        indexes = [models.Index(fields=["room", "id"], name="peers_room")]


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.room = self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = json.loads(text_data or "")["message"]
        await database_sync_to_async(Message.objects.create)(room=self.room, body=message)
        await self.channel_layer.group_send(self.room, {"type": "chat.message", "message": message})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"message": event["message"]}))


def make_table() -> None:
    """Make the table, where there is none yet."""
    if Message._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Message)
    connection.close()


make_table()
application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/chat/<str:room>/", ChatConsumer.as_asgi())]),
    }
)
