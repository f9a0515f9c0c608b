"""A process of its own that appends: `python -m tests.conversations.appending <user> <name> <count> <id>...`"""

import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup()

from accounts.models import User  # noqa: E402  needs the apps to be loaded
from conversations.services import messages  # noqa: E402


def main(user_id: str, name: str, count: str, *conversations: str) -> None:
    """Send `count` messages to each conversation, all of them queued at once, and wait for the commits."""
    user = User.objects.get(id=user_id)
    sent = [
        messages.send(user=user, conversation=UUID(conversation), text=f"{name} {number}", cmid=f"{name}-{number}")
        for number in range(int(count))
        for conversation in conversations
    ]
    for future in sent:
        assert not future.result(60).dup


main(*sys.argv[1:])
