"""The look and the manners of admin pages for rows that only their services write."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest
from django.template.defaultfilters import date
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold import decorators
from unfold.admin import ModelAdmin

Function = TypeVar("Function", bound=Callable[..., Any])


def display(**options: Any) -> Callable[[Function], Function]:
    """unfold's `display` (Django's, plus `label` and `header`), with types."""
    decorate: Callable[[Function], Function] = decorators.display(**options)
    return decorate


def list_action(**options: Any) -> Callable[[Function], Function]:
    """unfold's `action`, with types: a button above a list, which opens a page of its own."""
    decorate: Callable[[Function], Function] = decorators.action(**options)
    return decorate


def time_column(field: str, description: Promise) -> Callable[[ModelAdmin, Model], SafeString | None]:
    """A column (or read-only field) with a time to the second, in one line."""

    @display(description=description, ordering=field)
    def column(_: ModelAdmin, row: Model) -> SafeString | None:
        at = getattr(row, field)
        return at and format_html(
            '<time class="whitespace-nowrap" datetime="{}">{}</time>',
            at.isoformat(),
            date(localtime(at), "Y-m-d H:i:s"),
        )

    return column


class ReadOnlyAdmin(ModelAdmin):
    """Shows and never saves.

    `lookups` names the fields that a query string may filter by. Django would allow every column, and
    answers to `?metadata__x=…` tell its content to people who may not read it.
    """

    lookups: tuple[str, ...] = ()
    list_fullwidth = True
    list_filter_submit = False
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup.split("__")[0] in self.lookups and super().lookup_allowed(lookup, value, request)
