"""Laws 3, 4, 5 and 8: who may write what."""

import ast
import re

import pytest

from tests.architecture.code import Module, modules, within

ALL = list(modules().values())
WRITES = {
    "create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete", "save",
    "acreate", "aupdate", "adelete", "asave",
}  # fmt: skip
# What only a row or a set of rows has: no service of ours, no dict.
ONLY_ORM = WRITES - {"create", "update", "delete"}
# Doors and transports: they call verbs, and write nothing themselves.
DOORS = within(
    "accounts/api/", "accounts/views.py", "accounts/authentication.py", "conversations/api/", "conversations/views.py",
    "conversations/exportviews.py", "conversations/batch_pages.py",
    "conversations/report_pages.py",
    "conversations/forms.py", "conversations/pages.py", "conversations/selectors/", "conversations/templatetags/",
    "conversations/management/", "chatproject/management/", "realtime/",
)  # fmt: skip


def writes(module: Module, root: ast.AST | None = None) -> list[str]:
    return [
        f"{module.path}:{line} {on}.{name}()"
        for on, name, line in module.calls(root)
        if (name in WRITES and ".objects" in on) or name in ONLY_ORM
    ]


def test_events_are_inserted_in_one_place() -> None:
    """And never changed, but for erasure."""
    for module in ALL:
        found = [f"{on}.{name}" for on, name, _ in module.calls() if re.search(r"\bEvent\.objects\b", on)]
        inserting = [call for call in found if call.rsplit(".", 1)[1] in WRITES]
        built = [
            node
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call)
            if re.match(r"(\w+\.)?new\(Event\b|Event\(", ast.unparse(node))
        ]
        if module.name == "conversations.services.erasing":
            inserting = [call for call in inserting if not re.fullmatch(r"Event\.objects\.filter\(.*\)\.update", call)]
        if module.name != "conversations.eventlog":
            assert not inserting, f"{module.path}: {inserting}"
            assert not built or "conversations.models" not in set(module.imports()), f"{module.path} builds an Event"


def test_hints_leave_from_one_place() -> None:
    for module in ALL:
        found = [line for _, name, line in module.calls() if name in ("group_send", "send_groups")]
        assert not found or module.name == "realtime.broadcast", f"{module.path}: {found}"


@pytest.mark.parametrize("module", DOORS, ids=lambda module: module.name)
def test_doors_write_nothing(module: Module) -> None:
    assert not writes(module)


def test_no_hidden_roads() -> None:
    """No signals, no save() that does more than save."""
    for module in ALL:
        names = {
            alias.name for node in ast.walk(module.tree) if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert not names & {"receiver", "post_save", "pre_save", "post_delete", "pre_delete", "m2m_changed"}, (
            module.path
        )
        if "/models" in module.path:
            assert not [function.name for function in module.functions() if function.name in ("save", "delete")]


def test_the_consumer_is_only_a_transport() -> None:
    found = set(modules()["realtime.consumers"].imports())
    assert not {name for name in found if name.startswith(("accounts", "conversations"))}


@pytest.mark.parametrize("module", within("realtime/"), ids=lambda module: module.name)
def test_nothing_blocks_the_event_loop(module: Module) -> None:
    """Coroutines hand queries and verbs to threads (`in_thread(selectors.head, ...)`), they never call them."""
    for function in module.functions():
        if isinstance(function, ast.AsyncFunctionDef):
            blocking = [
                f"{module.path}:{line} {on}.{name}()"
                for on, name, line in module.calls(function)
                if on in ("selectors", "tokens", "users", "time", "reading") or ".objects" in on
            ]
            assert not [call for call in blocking if not re.search(r"time\.(time|monotonic)\(", call)]
