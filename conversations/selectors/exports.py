"""Exports of many conversations, for those who asked for them."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import wire
from conversations.models import Export, ExportItem

PAGE = 200


def exports(user: User) -> QuerySet[Export]:
    """The exports of a user that have not expired."""
    return Export.objects.filter(user=user, expires_at__gt=Now())


def export_for(user: User, id_: UUID) -> Export:
    """One of them. Raises Problem `not_found`."""
    found = exports(user).filter(id=id_).first()
    if found is None:
        raise Problem("not_found")
    return found


def exported_items(export: Export) -> Iterator[tuple[ExportItem, str | None]]:
    """What is in an export, with the titles, in order; read in pages, because there may be many."""
    last = UUID(int=0)
    rows = ExportItem.objects.filter(export=export, done=True, chunks__gt=0).select_related("conversation")
    while page := list(rows.filter(conversation_id__gt=last).order_by("conversation_id")[:PAGE]):
        yield from ((item, wire.title(item.conversation)) for item in page)
        last = page[-1].conversation_id
