"""`window`: the newest messages, and what is pinned."""

from collections.abc import Sequence
from itertools import islice

from django.conf import settings

from conversations.context.base import BUDGET, WINDOW, Budget, Choice, Entry, Past, fill, size


class Window:
    """All messages while there are few; then the newest 80 of 100, with what is pinned and system messages.

    Where even these do not fit, the oldest go first; pinned and system messages go last.
    """

    @property
    def tokens(self) -> int:
        return settings.CONTEXT_TOKENS

    @property
    def messages(self) -> int:
        return settings.CONTEXT_MESSAGES

    def choose(self, past: Past, budget: Budget) -> Choice:
        window, older = self._window(past, budget)
        kept, too_large = fill([entry for entry in window if entry.is_kept], budget.tokens, skip=True)
        rest = [entry for entry in window if not entry.is_kept]
        newest, too_many = fill(rest, budget.tokens - size(kept))
        reasons = {entry.seq: BUDGET for entry in (*too_large, *too_many)} | {entry.seq: WINDOW for entry in older}
        return Choice([*kept, *newest], reasons=reasons, beyond=WINDOW)

    def _window(self, past: Past, budget: Budget) -> tuple[list[Entry], Sequence[Entry]]:
        """The messages that count allows, newest first, and those looked at that it does not."""
        newest = list(islice(past.newest(), budget.messages + 1))
        if len(newest) <= budget.messages:
            return newest, ()
        share = budget.limit * settings.CONTEXT_NEWEST // settings.CONTEXT_MESSAGES
        # The message that is answered is one of them.
        window = newest[: min(max(0, share - 1), budget.messages)]
        inside = {entry.id for entry in window}
        kept = [entry for entry in past.kept(budget.messages) if entry.id not in inside]
        window += kept[: budget.messages - len(window)]
        inside = {entry.id for entry in window}
        return window, [entry for entry in newest if entry.id not in inside]
