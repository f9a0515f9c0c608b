"""`recent`: the newest messages until the budget is used up."""

from itertools import islice

from django.conf import settings

from conversations.context.base import BUDGET, WINDOW, Budget, Choice, Entry, Past


class Recent:
    """Newest first, whole messages, without a gap."""

    @property
    def tokens(self) -> int:
        return settings.CONTEXT_RECENT_TOKENS

    @property
    def messages(self) -> int:
        return settings.CONTEXT_MESSAGES_MAX

    def choose(self, past: Past, budget: Budget) -> Choice:
        taken: list[Entry] = []
        room = budget.tokens
        for entry in islice(past.newest(), budget.messages):
            if entry.tokens > room:
                return Choice(taken, reasons={entry.seq: BUDGET}, beyond=BUDGET)
            taken.append(entry)
            room -= entry.tokens
        return Choice(taken, beyond=WINDOW)
