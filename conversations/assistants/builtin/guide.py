"""Answers from the product's own documentation."""

import asyncio
import re
from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse

from conversations.assistants.base import Turn
from conversations.assistants.builtin.documentation import Documentation, Passage, documentation
from conversations.assistants.builtin.pages import Section
from conversations.services import addressing

# Who says hello, or asks what this is, is told what can be asked.
GREETING = re.compile(
    r"\W*(hi|hello|hey|hallo|hola|good (morning|day|evening)|help( me)?|\?+|start|thanks|thank you|ok|test"
    r"|你好|您好|帮助|(and )?who (are|made) you|what are you|what do you (do|know)|how can you help( me)?"
    r"|what can (you|i|one) (do|ask)( (here|me|you)| with (this|it)( product)?)?"
    r"|what (is|does) (this|it|that)( product| app| thing)?( do| for| about)?)( there| guide)?\W*",
    re.IGNORECASE,
)
# An answer is written in pieces of about this length, with pauses that let it be read along, and stopped.
PIECE_LENGTH = 40
PIECE_SECONDS = 0.02


class Guide:
    """Answers questions about this product from its documentation, offline."""

    async def answer(self, turn: Turn) -> None:
        """Show the search as a step, quote the best passage, name the sources; or say that there is none."""
        question = addressing.without_names((await turn.context()).lines[-1].text)
        docs = await asyncio.to_thread(documentation, settings.BASE_DIR)
        if GREETING.fullmatch(question):
            return await _write(turn, greeting(docs))
        async with turn.step("retrieval", "documentation", {"query": question}) as step:
            found = await asyncio.to_thread(docs.search, question)
            step.sources = [source(passage) for passage in found]
            step.output = {"found": len(found)}
        turn.sources = step.sources
        await _write(turn, quoted(found) if found else not_documented(docs, question))


def source(passage: Passage) -> dict[str, object]:
    """Where a passage stands."""
    section = passage.section
    return {
        "title": section.name,
        "page": section.page,
        "heading": section.heading,
        "anchor": section.anchor,
        "url": address(section),
        "score": passage.score,
    }


def address(section: Section) -> str:
    """Where a section can be read on this server."""
    return f"{reverse('documentation_page', args=[section.page])}#{section.anchor}"


def quoted(found: list[Passage]) -> str:
    """The best passage and where more is to be found."""
    best = found[0]
    sources = [
        f"{number}. [{passage.section.name}]({address(passage.section)}) (`{passage.section.page}`)"
        for number, passage in enumerate(found, 1)
    ]
    lead = f"This is what the documentation says under **{best.section.name}**:"
    return "\n\n".join([lead, best.text, "**Sources**", "\n".join(sources)])


def not_documented(docs: Documentation, question: str) -> str:
    language = "" if re.search("[A-Za-z]", question) else " The documentation is in English: please ask in English."
    return (
        f"This is not documented.{language} I answer only from this product's documentation, about:\n\n{topics(docs)}"
    )


def greeting(docs: Documentation) -> str:
    return (
        f"Hello! I know this product from its own documentation.\n\n{docs.about()}\n\n"
        "Ask me, for example, *How do I back up everything?* I quote what I find and name the page. "
        f"These are the topics:\n\n{topics(docs)}"
    )


def topics(docs: Documentation) -> str:
    """A list of the pages."""
    return "\n".join(f"- [{section.title}]({address(section)}) (`{section.page}`)" for section in docs.topics())


def pieces(text: str) -> Iterator[str]:
    """`text` cut after words, in pieces of about PIECE_LENGTH."""
    piece = ""
    for word in re.findall(r"\S*\s*", text):
        piece += word
        if len(piece) >= PIECE_LENGTH:
            yield piece
            piece = ""
    yield piece


async def _write(turn: Turn, text: str) -> None:
    for piece in pieces(text):
        await turn.emit(piece)
        await asyncio.sleep(PIECE_SECONDS)
