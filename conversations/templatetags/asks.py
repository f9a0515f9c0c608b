"""What templates need to show what runs ask people."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.template.context import RequestContext

from accounts.services import users
from chatproject.lib.ids import parse_id
from conversations import askforms, asking

register = template.Library()

Json = dict[str, Any]


@register.filter
def asked(steps: Sequence[Json] | None) -> list[Json]:
    """The questions among the steps of a run."""
    return [step for step in steps or () if asking.is_ask(step)]


@register.filter
def worked(steps: Sequence[Json] | None) -> list[Json]:
    """The steps that are no questions."""
    return [step for step in steps or () if not asking.is_ask(step)]


@register.simple_tag(takes_context=True)
def question(context: RequestContext, step: Json, run: Json) -> askforms.Question:
    """The question of a step, with what is filled in already (`filled` of the page)."""
    by = parse_id(str(step.get("by")))
    name = users.display_names([by]).get(by, "") if by else ""
    return askforms.question(run, step, name, (context.get("filled") or {}).get(step["step"]))
