"""The ASGI application: HTTP by Django, sockets by the realtime layer; a sweeper in every web process.

Importing it ends the process where settings are wrong.
"""

import os

import django
from channels.routing import ProtocolTypeRouter

from chatproject.lib import collector

collector.pause()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup(set_prefix=False)

from chatproject import checks  # noqa: E402  needs the apps to be loaded, as all below
from chatproject.answers import HandedOver  # noqa: E402
from chatproject.bodies import BodyLimit, EncryptedBodies  # noqa: E402
from chatproject.lib import threads  # noqa: E402
from chatproject.transport import EncryptedSockets  # noqa: E402
from conversations.assistants import sweeper  # noqa: E402
from realtime.routing import websocket  # noqa: E402

checks.refuse_unless_sound()
http = BodyLimit(HandedOver(EncryptedBodies()))
application = ProtocolTypeRouter({"http": http, "websocket": EncryptedSockets(websocket)})
sweeper.start()
collector.tune()
threads.take_short_turns()
