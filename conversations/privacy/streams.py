"""Running answers: what must not be kept is taken out before a piece is stored or sent."""

from django.conf import settings

from conversations.privacy.patterns import REACH, patterns
from conversations.privacy.redaction import MARK


class Screen:
    """Redacts a text that comes in pieces, as Search.text redacts the whole of it.

    The end of what came waits as long as it could be the beginning of something (`Pattern.open_from`), so that
    what was given out is always a prefix of the whole text's redacted form.
    """

    def __init__(self) -> None:
        self._text = ""  # up to REACH characters that were given out, then what waits
        self._given = 0
        self._covered = -1  # the end of the last stretch that a MARK stands for

    @property
    def waiting(self) -> int:
        """Characters that have come and are held back."""
        return len(self._text) - self._given

    def feed(self, piece: str) -> str:
        """What can be given out now that `piece` has come."""
        self._text += piece
        return self._release(min([len(self._text), *(pattern.open_from(self._text) for pattern in _patterns())]))

    def end(self) -> str:
        """The rest: nothing more comes."""
        return self._release(len(self._text))

    def _release(self, upto: int) -> str:
        upto = max(upto, self._given)
        spans = sorted(span for pattern in _patterns() for span in pattern.spans(self._text) if span[1] > self._given)
        parts: list[str] = []
        for start, end in spans:
            start = max(start, self._given)
            if start >= upto:
                break
            if start > self._covered:
                parts += [self._text[self._given : start], MARK]
            self._covered = max(self._covered, end)
            self._given = max(self._given, min(self._covered, upto))
        parts.append(self._text[self._given : upto])
        self._forget(upto)
        return "".join(parts)

    def _forget(self, upto: int) -> None:
        """Keep only what patterns may look back to."""
        gone = max(0, upto - REACH)
        self._text, self._given = self._text[gone:], upto - gone
        self._covered = min(self._covered, upto) - gone


def _patterns() -> tuple:
    return patterns() if settings.PRIVACY_POLICY != "store" else ()
