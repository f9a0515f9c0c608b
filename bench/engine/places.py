"""Who talks where: users with tokens and their conversations, made through the product's own services."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.services import tokens, users
from bench.engine.pages import Visitor
from bench.engine.sockets import Seat
from chatproject.lib.ids import new_id
from conversations.services import conversations


def seats(rooms: int, members: int) -> list[list[Seat]]:
    """So many new conversations, each with so many users of its own; nobody is in two of them."""
    people = iter([(user, tokens.issue(user)["access"]) for user in somebodies(rooms * members)])
    return [_conversation(list(islice(people, members))) for _ in range(rooms)]


def visitors(rooms: int, members: int) -> list[list[Seat]]:
    """As `seats`, for pages: everybody is logged in with a cookie, too."""
    return [[_visitor(seat) for seat in room] for room in seats(rooms, members)]


def _visitor(seat: Seat) -> Visitor:
    user, _ = tokens.user_of_access(seat.token)
    client = Client()
    client.force_login(user)
    return Visitor(seat.conversation, seat.token, f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}")


def _conversation(people: list[tuple[User, str]]) -> list[Seat]:
    owner = people[0][0]
    others = [{"user": str(user.id), "role": "editor"} for user, _ in people[1:]]
    made = conversations.create(user=owner, title="Bench", members=others).result(30)
    return [Seat(str(made.conversation.id), token) for _, token in people]


def somebodies(count: int) -> list[User]:
    """New users. Their passwords are hashed quickly: hashing a thousand as the product does would take minutes."""
    with quick_passwords():
        return [users.register(username=f"b-{new_id().hex}", password="correct horse 9") for _ in range(count)]


@contextmanager
def quick_passwords() -> Iterator[None]:
    before = settings.PASSWORD_HASHERS
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    try:
        yield
    finally:
        settings.PASSWORD_HASHERS = before
