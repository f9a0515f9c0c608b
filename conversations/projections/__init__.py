"""From events to rows: what can be thrown away and made again from the log (integrity/repairing.py).

A handler sees the stored form of an event (secrets sealed) and copies envelopes, so that a rebuild needs
no key. A module per topic registers its handlers with `on`.
"""

from conversations.projections import conversation, feedback, members, messages, restoring, runs
from conversations.projections.projector import Projector
from conversations.projections.registry import HANDLERS, CannotApply, apply

__all__ = [
    "HANDLERS",
    "CannotApply",
    "Projector",
    "apply",
    "conversation",
    "feedback",
    "members",
    "messages",
    "restoring",
    "runs",
]
