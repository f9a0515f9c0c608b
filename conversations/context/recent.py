"""`recent`: what is pinned, and the newest messages until the budget is used up."""

from itertools import islice

from django.conf import settings

from conversations.context.base import BUDGET, WINDOW, Budget, Choice, Past, fill, size


class Recent:
    """What is pinned and system messages first (PROTOCOL.md section 3: they stay in every context); then the newest,
    whole messages, without a gap."""

    @property
    def tokens(self) -> int:
        return settings.CONTEXT_RECENT_TOKENS

    @property
    def messages(self) -> int:
        return settings.CONTEXT_MESSAGES_MAX

    def choose(self, past: Past, budget: Budget) -> Choice:
        kept, too_large = fill(past.kept(budget.messages), budget.tokens, skip=True)
        inside = {entry.id for entry in (*kept, *too_large)}
        reasons = {entry.seq: BUDGET for entry in too_large}
        taken, room = list(kept), budget.tokens - size(kept)
        for entry in islice((one for one in past.newest() if one.id not in inside), budget.messages - len(kept)):
            if entry.tokens > room:
                return Choice(taken, reasons=reasons | {entry.seq: BUDGET}, beyond=BUDGET)
            taken.append(entry)
            room -= entry.tokens
        return Choice(taken, reasons=reasons, beyond=WINDOW)
