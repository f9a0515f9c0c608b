"""The page that searches: what was found, with links to where it was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations import pages, selectors, wire
from conversations.models import Message
from conversations.search import embedders, finding, paging, query
from conversations.search.snippets import Snippet
from conversations.views import Page

RESULTS_LENGTH = 20
# A thread's page is cut so many seqs after a message that is not on the newest one.
CONTEXT_SEQS = 20


@dataclass(frozen=True)
class Result:
    """A message that was found: where it is, and an excerpt as `(text, marked)` pieces.

    `before` is where the thread's page has to begin so as to show it; None for the newest page.
    """

    message: Message
    title: str
    pieces: Sequence[tuple[str, bool]]
    before: int | None
    at: datetime


@dataclass(frozen=True)
class Results:
    """`more` is whether there are older ones that were not looked at; `next` and `previous` are cursors."""

    shown: Sequence[Result]
    total: int
    more: bool
    next: paging.Place | None
    previous: paging.Place | None


class SearchPageView(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        """The results of `q`, perhaps in one `conversation` only; without `q`, the empty form."""
        given = request.GET
        context = {"q": given.get("q", "").strip(), "list": pages.conversation_list(self.user)}
        try:
            place = self._place(given.get("conversation"))
            context["only"] = place and pages.heading(self.user, place)
            if context["q"]:
                context["results"] = results(self.user, str(context["q"]), place, given.get("cursor"))
        except Problem as problem:
            if problem.code.name != "invalid":
                raise
            return self.render("search", {**context, "problem": problem}, problem.code.status)
        return self.render("search", context)

    def _place(self, given: str | None) -> UUID | None:
        """Raises Problem `invalid`, `not_found`."""
        id_ = parse_id(given) if given else None
        if given and id_ is None:
            raise Problem("invalid", errors={"conversation": ["This is not the id of a conversation."]})
        return selectors.conversation_for(self.user, id_).id if id_ else None


def results(user: User, text: str, conversation: UUID | None, cursor: str | None) -> Results:
    """A page of results. Raises Problem `invalid`."""
    asked, place = query.parse(text), paging.parse_place(cursor)
    mode = "hybrid" if embedders.is_set_up() else "text"
    found = finding.search(user, asked, mode=mode, conversation=conversation, before=place.before)
    page = paging.page(found, place, RESULTS_LENGTH)
    rows = selectors.visible_conversations(user.id).filter(id__in={hit.row.conversation_id for hit in page.hits})
    titles = {row.id: wire.title(row) for row in rows}
    words = pages.first_words([id_ for id_, title in titles.items() if not title])
    heads = {row.id: row.last_seq for row in rows}
    shown = [
        Result(
            hit.row,
            titles.get(hit.row.conversation_id) or words.get(hit.row.conversation_id, ""),
            pieces(hit.snippet(asked)),
            _before(hit.row, heads.get(hit.row.conversation_id, 0)),
            hit.row.created_at,
        )
        for hit in page.hits
    ]
    return Results(shown, page.total, page.total >= settings.SEARCH_CANDIDATES, page.next, page.previous)


def pieces(snippet: Snippet) -> list[tuple[str, bool]]:
    """An excerpt cut where marks begin and end."""
    cut: list[tuple[str, bool]] = []
    end = 0
    for start, stop in snippet.highlights:
        cut += [(snippet.text[end:start], False), (snippet.text[start:stop], True)]
        end = stop
    return [(text, marked) for text, marked in [*cut, (snippet.text[end:], False)] if text]


def _before(row: Message, head: int) -> int | None:
    return row.seq + CONTEXT_SEQS if head - row.seq >= pages.THREAD_LENGTH else None
