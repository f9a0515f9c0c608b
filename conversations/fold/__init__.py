"""The state of a conversation, folded from its events alone: no database, no key.

`Fold` starts empty, or from a state of before, takes events in order, and gives its state as plain JSON (see
state.py). It is the second opinion on the projections: both must come to the same (tests, integrity.py).
"""

from conversations.fold import conversation, feedback, messages, runs
from conversations.fold.state import FOLDS, Fold, Gap

__all__ = ["FOLDS", "Fold", "Gap", "conversation", "feedback", "messages", "runs"]
