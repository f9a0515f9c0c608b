"""Who talks where: users with tokens and their conversations, made through the product's own services."""

from itertools import islice

from django.conf import settings
from django.test import Client, override_settings

from accounts.models import User
from accounts.services import tokens, users
from bench.engine.pages import Visitor
from bench.engine.sockets import Seat
from bench.life import Person
from chatproject.lib.ids import new_id
from conversations.services import conversations

PASSWORD = "correct horse battery 9"
# Of so many people one has to log in; browsers of the others remember them.
LOGS_IN = 20


def seats(rooms: int, members: int) -> list[list[Seat]]:
    """So many new conversations, each with so many users of its own; nobody is in two of them."""
    with quick_passwords():
        everybody = iter([_somebody() for _ in range(rooms * members)])
    return [_conversation(list(islice(everybody, members))) for _ in range(rooms)]


def visitors(rooms: int, members: int) -> list[list[Seat]]:
    """As `seats`, for pages: everybody is logged in with a cookie, too."""
    return [[Visitor(one.conversation, one.token, _cookie(one)) for one in room] for room in seats(rooms, members)]


def people(rooms: int, members: int) -> list[Person]:
    """For lives; every LOGS_IN-th of them has a password that the product hashed as it does."""
    with quick_passwords():
        quick = [_somebody() for _ in range(rooms * members)]
    everybody = [one if number % LOGS_IN else _somebody() for number, one in enumerate(quick)]
    rows = [everybody[number : number + members] for number in range(0, len(everybody), members)]
    found = [(user, seat) for row in rows for user, seat in zip(row, _conversation(row), strict=True)]
    return [
        Person(seat.conversation, seat.token, _cookie(seat), user.username, "" if number % LOGS_IN else PASSWORD)
        for number, (user, seat) in enumerate(found)
    ]


def _cookie(seat: Seat) -> str:
    user = tokens.identify(seat.token).user
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"


def _conversation(everybody: list[User]) -> list[Seat]:
    others = [{"user": str(user.id), "role": "editor"} for user in everybody[1:]]
    made = conversations.create(user=everybody[0], title="Bench", members=others).result(30)
    return [Seat(str(made.conversation.id), tokens.issue(user)["access"]) for user in everybody]


def _somebody() -> User:
    return users.register(username=f"b-{new_id().hex}", password=PASSWORD)


def quick_passwords() -> override_settings:
    """Hashing a thousand of them as the product does would take minutes."""
    return override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
