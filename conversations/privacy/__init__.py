"""What must not be kept (numbers of cards, social security numbers, what a hook adds) is found before anything
is stored or sent, and then redacted, refused or marked: docs/privacy.md.

`drafts` screens every event, `streams` running answers, `redaction` any other text.
"""

from conversations.privacy.redaction import MARK, Search
from conversations.privacy.streams import Screen

__all__ = ["MARK", "Screen", "Search"]
