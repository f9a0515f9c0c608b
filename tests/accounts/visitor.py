"""Somebody with a browser at the account pages."""

import re
from html import unescape
from typing import Any

from django.core import mail
from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from tests.leaks import PASSWORD

LINK = re.compile(r"https?://testserver(/accounts/\S+)")


class Visitor(Client):
    """Comes from a network of their own, so that limits of other tests do not count."""

    def __init__(self) -> None:
        digits = new_id().hex
        super().__init__(REMOTE_ADDR=f"fd00:{digits[-12:-8]}:{digits[-8:-4]}:{digits[-4:]}::1")

    def log_in(self, user: User, password: str = PASSWORD) -> Any:
        return self.post("/accounts/login/", {"login": user.username, "password": password})

    def is_logged_in(self) -> bool:
        return bool(self.get("/account/").status_code == 200)

    def shown(self, path: str) -> str:
        return text(self.get(path))


def text(answer: Any) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def logged_in(user: User) -> Visitor:
    visitor = Visitor()
    answer = visitor.log_in(user)
    assert answer.headers["Location"] == "/", text(answer)
    return visitor


def address() -> str:
    """An e-mail address of nobody else."""
    return f"{new_id().hex[-12:]}@example.org"


def mails_to(email: str) -> list[str]:
    """Subjects and texts of what was sent to an address, in order."""
    return [f"{one.subject}\n{one.body}" for one in mail.outbox if email in one.to]


def link_in(message: str) -> str:
    """The path of the first link of a mail."""
    found = LINK.search(message)
    assert found, message
    return found[1]
