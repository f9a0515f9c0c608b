"""Every event type, frame, error code, close code and metric is documented, and what is documented exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import msgspec
from prometheus_client.metrics import MetricWrapperBase

from chatproject.lib import metrics
from chatproject.lib.errors import CODES
from conversations.event_types import EVENT_TYPES
from realtime.commands import COMMANDS
from realtime.protocol import Close
from tests.docs.pages import BASE, headings, rows, section, text, words

SECRET = re.compile(r"`(\w+)` 🔒")
ABOUT_ALL_CODES = {"Errors", "What an error looks like"}
# Messages between our own processes, or between us and the ASGI server, have a dot in their type.
INTERNAL = "."
# Where frames are made that are no events of the log.
FRAMES_IN = (
    "realtime/**/*.py",
    "conversations/assistants/**/*.py",
    "conversations/services/reading.py",
    "conversations/wire/rooms.py",
)


def frames_sent() -> Iterator[str]:
    """The `type` of every frame that is spelled in the code and is no event of the log."""
    for pattern in FRAMES_IN:
        for path in BASE.glob(pattern):
            if path.name.startswith("client"):
                continue  # what the Python client says
            # What assistants send to models is no frame, nor is a schema.
            frames = path.parent.name not in ("builtin", "isolation")
            nodes = ast.walk(ast.parse(path.read_text())) if frames else ()
            for node in nodes:
                if isinstance(node, ast.Dict):
                    yield from types_in(node)


def types_in(node: ast.Dict) -> Iterator[str]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "type" and isinstance(value, ast.Constant):
            yield str(value.value)


@cache
def sources() -> str:
    """All code of the product."""
    folders = ("chatproject", "accounts", "conversations", "realtime")
    return "\n".join(path.read_text() for folder in folders for path in (BASE / folder).rglob("*.py"))


def test_event_types() -> None:
    page = text("events.md")
    assert headings(page)[1:] == list(EVENT_TYPES)
    for name, kind in EVENT_TYPES.items():
        assert set(SECRET.findall(section(page, name))) == set(kind.secret), name


def test_frames_of_clients_and_their_fields() -> None:
    documented = {
        words(frame)[0]: words(fields) for frame, fields, _ in rows(section(text("websocket.md"), "Client to server"))
    }
    expected = {}
    for frame in COMMANDS:
        fields = msgspec.structs.fields(frame)
        expected[frame.__struct_config__.tag] = {one.name if one.required else f"{one.name}?" for one in fields}
    assert documented.keys() == expected.keys()
    for name, fields_of in expected.items():
        # A default that is a number is told in words.
        plain = {field for field in documented[str(name)] if not field.startswith("{")}
        assert {field.rstrip("?") for field in fields_of} == {field.rstrip("?") for field in plain}, name


def test_frames_of_the_server() -> None:
    documented = {words(frame)[0] for frame, _ in rows(section(text("websocket.md"), "Server to client"))}
    sent = {name for name in frames_sent() if INTERNAL not in name}
    assert documented == sent - EVENT_TYPES.keys()


def test_close_codes() -> None:
    documented = {int(code): name for code, name, _ in rows(section(text("websocket.md"), "Close codes"))}
    names = {value: name.lower().replace("_", " ") for name, value in vars(Close).items() if name.isupper()}
    assert documented == names


def test_error_codes() -> None:
    page = text("errors.md")
    assert set(headings(page)) - ABOUT_ALL_CODES == CODES.keys()
    for name, code in CODES.items():
        assert f"Status {code.status}, retry: {'yes' if code.retryable else 'no'}. " in section(page, name), name


def test_checks_at_the_start() -> None:
    page = section(text("troubleshooting.md"), "A check refuses the start")
    code = (BASE / "chatproject" / "checks.py").read_text()
    assert {words(number)[0] for number, _ in rows(page)} == set(re.findall(r"\b[EW]\d{3}\b", code))


def test_metrics() -> None:
    documented = {
        words(name)[0]: (kind, labels) for name, kind, labels, _ in rows(section(text("metrics.md"), "All metrics"))
    }
    ours = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    assert documented == {name_of(one): (one._type, ", ".join(one._labelnames)) for one in ours}


def test_events_and_members_of_the_javascript_client() -> None:
    static, page = BASE / "realtime" / "static" / "realtime", text("client-js.md")
    said = {
        path.name: re.findall(r"(?:this|room)\.emit\(\"([\w:]+)\"", path.read_text()) for path in static.glob("*.js")
    }
    of_client = re.findall(r"Events of the client: (.*)", page)[0]
    assert set(words(of_client)) == set(said["client.js"])
    of_room = {name for event, _ in event_rows(page) for name in words(event)}
    assert of_room == {name for file, names in said.items() if file != "client.js" for name in names}


def event_rows(page: str) -> list[list[str]]:
    """The table of a conversation's events: the one after `| event | detail |`."""
    return rows("| event | detail |" + page.split("| event | detail |")[1].split("\n\n")[0])


def test_codes_that_nothing_sends_are_marked_as_reserved() -> None:
    closing = {code: "(reserved)" in what for code, _, what in rows(section(text("websocket.md"), "Close codes"))}
    ours = {name: value for name, value in vars(Close).items() if name.isupper()}
    assert closing == {str(code): f"Close.{name}" not in sources() for name, code in ours.items()}
    page = text("errors.md")
    spelled = re.compile(r'(?<!Code\()"(\w+)"').findall(sources())
    reserved = {name for name in CODES if "(reserved)" in section(page, name)}
    assert reserved == CODES.keys() - set(spelled)


def test_every_metric_is_counted_somewhere() -> None:
    ours = [name for name, one in vars(metrics).items() if isinstance(one, MetricWrapperBase)]
    assert [name for name in ours if f"metrics.{name}." not in sources()] == []


def name_of(metric: MetricWrapperBase) -> str:
    [described] = metric.describe()
    return f"{described.name}_total" if described.type == "counter" else described.name
