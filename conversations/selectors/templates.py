"""Templates, as whoever asks may see them: staff all, others those that are offered to them."""

from django.db.models import Q, QuerySet

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations.models import Template


def templates(user: User) -> QuerySet[Template]:
    """What `user` may see."""
    return Template.objects.all() if user.is_staff else offered(user)


def offered(user: User) -> QuerySet[Template]:
    """What `user` may begin a conversation from."""
    rows = Template.objects.filter(active=True)
    return rows if user.is_staff else rows.filter(visibility=Template.Visibility.EVERYBODY)


def template_for(user: User, key: str, *, to_begin: bool = False) -> Template:
    """The template of this slug or id. Raises Problem `not_found`."""
    rows = offered(user) if to_begin else templates(user)
    row = rows.filter(Q(id=parse_id(key)) | Q(slug=key) if parse_id(key) else Q(slug=key)).first()
    if row is None:
        raise Problem("not_found", "There is no such template.")
    return row
