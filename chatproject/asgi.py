"""The ASGI application: HTTP by Django, sockets by the realtime layer; a sweeper in every web process."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
http = get_asgi_application()

from conversations.assistants import sweeper  # noqa: E402  needs the apps to be loaded
from realtime.routing import websocket  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
sweeper.start()
