"""Buttons and actions of staff: call a verb, say how it went."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from chatproject.lib.errors import Problem


def staff_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def attempt(request: HttpRequest, id_: UUID, act: Callable[[], object]) -> bool:
    """Do it; a refusal becomes a message on the next page. Tells whether it was done."""
    try:
        act()
    except Problem as problem:
        messages.error(request, f"{id_}: {problem.detail}")
    except DatabaseError:
        messages.error(request, _("%(id)s: the database is busy; try again.") % {"id": id_})
    else:
        return True
    return False
