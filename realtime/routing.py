"""Socket routes."""

from channels.routing import URLRouter
from django.urls import path

from realtime.consumers import SocketConsumer

websocket = URLRouter([path("ws/", SocketConsumer.as_asgi())])
