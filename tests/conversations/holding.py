"""A process of its own that holds a conversation's key: `python -m tests.conversations.holding <id>`.

Says `holding`, and `gone` as soon as nothing of it is held any more.
"""

import os
import sys
import time
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup()

from conversations import keys, selectors  # noqa: E402  needs the apps to be loaded


def main(conversation: str) -> None:
    id_ = UUID(conversation)
    selectors.messages(id_, before_seq=None, after_seq=None, limit=50)
    assert id_ in keys._cache
    print("holding", flush=True)  # noqa: T201
    while id_ in keys._cache:
        time.sleep(0.02)
    print("gone", flush=True)  # noqa: T201


main(*sys.argv[1:])
