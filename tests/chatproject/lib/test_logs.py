"""What is logged, in which words, and what never is."""

import io
import json
import logging
from typing import Any

import pytest
from django.test import RequestFactory
from django.views.debug import get_exception_reporter_class
from structlog.stdlib import ProcessorFormatter

from chatproject.lib.caller import called_by, calling, note
from chatproject.lib.ids import new_id
from chatproject.lib.logs import configuration
from chatproject.lib.logs.masking import clean, masked
from chatproject.lib.logs.reports import Reporter
from tests.leaks import CANARY, PASSWORD, leaks

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkyIn0.c2lnbmF0dXJl"
# As secrets.token_urlsafe(32) makes them: shares, tickets.
RANDOM = "Zk3hV9w_Qm2T-xL8pR5nB1cD7fG0jK4sY6uA2eW9iOo"
ID = "0192f7a0-1111-7222-8333-444455556666"


class Lines:
    """A logger of its own, which writes as the product does."""

    def __init__(self, form: str) -> None:
        how = configuration(form=form, level="INFO", access=True)["formatters"]["ours"]
        self._stream = io.StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(ProcessorFormatter(processors=how["processors"]))
        self.log = logging.Logger("test", logging.INFO)
        self.log.addHandler(handler)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return found


@pytest.fixture
def lines() -> Lines:
    return Lines("json")


def test_a_line_in_the_common_schema(lines: Lines) -> None:
    lines.log.warning("%d of %s", 3, "five")
    line = lines.last
    assert (line["message"], line["log.level"], line["log.logger"]) == ("3 of five", "warning", "test")
    assert line["@timestamp"].endswith("Z")
    assert line["ecs.version"]


def test_for_whom_and_about_what(lines: Lines) -> None:
    who = calling("203.0.113.77", "request-1")
    with called_by(who):
        who.session = ID
        note(conversation=ID, run=None)
        lines.log.info("inside")
    assert lines.last["http.request.id"] == "request-1"
    assert lines.last["client.ip"] == "203.0.113.0"
    assert (lines.last["labels.session"], lines.last["labels.conversation"]) == (ID, ID)
    assert "labels.run" not in lines.last
    lines.log.info("outside")
    assert not {"http.request.id", "client.ip", "labels.conversation"} & lines.last.keys()


def test_an_error_without_local_variables(lines: Lines) -> None:
    local = CANARY
    try:
        raise ValueError(f"no {len(local)}")
    except ValueError:
        lines.log.exception("it failed")
    assert lines.last["error.type"] == "ValueError"
    assert "test_an_error_without_local_variables" in lines.last["error.stack_trace"]
    assert leaks(lines.text) == []


def test_for_people() -> None:
    lines = Lines("plain")
    with called_by(calling("203.0.113.77")):
        note(run=ID)
        lines.log.error("it failed")
    assert lines.text.endswith(f" ERROR test it failed run={ID}\n")


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("from ada@example.org again", "from *** again"),
        ("postgresql://chat:pw@db/chat is away", "*** is away"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Bearer abcdefghijkl", "sent Bearer ***"),
        ("Cookie: sessionid=abc; csrftoken=def", "Cookie: ***; csrftoken=***"),
        ('{"password": "a b c", "n": 1}', '{"password": ***, "n": 1}'),
        ("?token=abc&x=1", "?token=***&x=1"),
        (f"with {TOKEN}!", "with ***!"),
        ("key ck_live_abcdef", "key ***"),
        (f"/s/{RANDOM}/", "/s/***/"),
        ("peer 203.0.113.77:4711", "peer 203.0.113.0:4711"),
        ("peer 2001:db8:1:2:3:4:5:6", "peer 2001:db8:1::"),
        ("peer ::ffff:203.0.113.77", "peer 203.0.113.0"),
        (f"conversation {ID} at 12:34:56", f"conversation {ID} at 12:34:56"),
        ("listening on 127.0.0.1:8000", "listening on 127.0.0.1:8000"),
        ("test_what_others_write_in_the_same_commit_is_not_mixed_up", None),
    ],
)
def test_masked(said: str, logged: str | None) -> None:
    assert masked(said) == (logged or said)


def test_fields_that_are_never_logged() -> None:
    found = clean({"token": TOKEN, "inner": [{"Authorization": "x", "text": CANARY, "n": 1}], "raw": b"abc"})
    assert found == {"token": "***", "inner": [{"Authorization": "***", "text": "***", "n": 1}], "raw": "***"}


def test_reports_of_exceptions_show_no_variables() -> None:
    secret = PASSWORD
    assert str(get_exception_reporter_class(RequestFactory().get("/"))) == str(Reporter)
    request = RequestFactory().post("/x/", {"text": CANARY}, headers={"Authorization": f"Bearer {secret}"})
    try:
        raise ValueError("it failed")
    except ValueError as error:
        reporter = Reporter(request, type(error), error, error.__traceback__)
    for report in (reporter.get_traceback_html(), reporter.get_traceback_text()):
        assert "it failed" in report
        assert leaks(report) == []


def test_the_search_for_leaks_finds_them() -> None:
    for secret in (PASSWORD, CANARY, TOKEN, "sessionid=abcdefghijklmnopqrstuvwxyz", "ada@example.org"):
        assert leaks(f"a line\nwith {secret} in it") == [f"with {secret} in it"]
    assert leaks(str(new_id())) == []
