"""What an assistant took that another one asked."""

from django.conf import settings

from conversations.assistants.composing.asides import Through
from conversations.context import tokens
from conversations.context.result import Context
from conversations.usage.tokens import Usage, part


def taken(turn: Through) -> Usage | None:
    """The part of the one that took `turn`: what it told, with the model that was asked, which may have a price. Where
    it told nothing, what was sent and what came is counted here, as for a whole run (usage/settling.py)."""
    sent = turn.sent
    told = turn.usage or (_counted(turn, sent) if sent else None)
    return part(turn.name, {**({"model": sent.terms.model} if sent else {}), **told}) if told else None


def _counted(turn: Through, sent: Context) -> Usage | None:
    """None where nothing came, and for those that ask no model."""
    said = "".join(turn.emitted)
    if not said or turn.name in settings.UNCOUNTED_ASSISTANTS:
        return None
    encoding = sent.terms.encoding
    # Lines in place of the conversation were not counted before.
    given = sent.tokens or sum(tokens.count(line.text, encoding) + tokens.PER_MESSAGE for line in sent.lines)
    return {"input_tokens": given, "output_tokens": tokens.count(said, encoding), "estimated": True}
