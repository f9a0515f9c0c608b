"""`summary`: the newest messages as they are, everything older as summaries."""

from itertools import islice

from django.conf import settings

from conversations.context.base import BUDGET, NOT_SUMMARISED, Budget, Choice, Digest, Entry, Past, fill, size


class Summary:
    """Nothing is summarised while everything fits. Then half of the room at most is kept for summaries."""

    @property
    def tokens(self) -> int:
        return settings.CONTEXT_TOKENS

    @property
    def messages(self) -> int:
        return settings.CONTEXT_MESSAGES

    def choose(self, past: Past, budget: Budget) -> Choice:
        newest = list(islice(past.newest(), budget.messages + 1))
        if len(newest) <= budget.messages and size(newest) <= budget.tokens:
            return Choice(newest)
        head = max(entry.anchor for entry in newest) + 1
        room = budget.tokens - min(budget.tokens // 2, past.reserve(head))
        kept, _ = fill(past.kept(budget.messages // 2), room, skip=True)
        raw, left = _newest(newest, kept, room - size(kept), budget.messages - len(kept))
        before = left[0].anchor + 1 if left else min((entry.anchor for entry in raw), default=head)
        digests, complete = _digests(past, before, budget.tokens - size([*kept, *raw]))
        reasons = {entry.seq: BUDGET for entry in left}
        return Choice([*kept, *raw], digests, reasons, NOT_SUMMARISED if complete else BUDGET)


def _newest(newest: list[Entry], kept: list[Entry], room: int, count: int) -> tuple[list[Entry], list[Entry]]:
    """The newest that fit, and the others that were looked at; those of `kept` are neither."""
    inside = {entry.id for entry in kept}
    rest = [entry for entry in newest if entry.id not in inside]
    taken, left = fill(rest[:count], room)
    return taken, left + rest[count:]


def _digests(past: Past, before: int, room: int) -> tuple[list[Digest], bool]:
    """The newest summaries that fit, and whether all did."""
    taken: list[Digest] = []
    for digest in past.digests(before):
        if digest.tokens > room:
            return taken, False
        taken.append(digest)
        room -= digest.tokens
    return taken, True
