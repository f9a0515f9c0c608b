"""What `send` does by name: the table, what comes with the product, and actions of one's own."""

import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import actions
from conversations.assistants import runner
from conversations.models import Run
from conversations.permissions import Permission
from conversations.services import conversations, messages
from tests.api import Api
from tests.conversations.assistants.support import ending
from tests.conversations.support import frames, refusal, replayed, say
from tests.docs.pages import code, text
from tests.sockets import Socket


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    """The file that docs/actions.md shows, its actions in the table as that page says."""
    source = next(block for block in code(text("actions.md"), "python") if "class" not in block and "ORDER =" in block)
    path = tmp_path / "shop_actions.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("shop_actions", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    actions.register("order", module.ORDER)
    actions.register("note", module.NOTE)
    yield module
    for name in ("order", "note"):
        del actions._registered[name]
    actions.table.cache_clear()


def send(user: User, conversation: UUID, text: str, **given: Any) -> Any:
    return messages.send(user=user, conversation=conversation, text=text, cmid=f"{given}", **given)


def test_what_there_is() -> None:
    permissions = {name: one.permission for name, one in actions.table().items()}
    assert (permissions["chat"], permissions["stop"]) == (Permission.SEND, Permission.STOP)
    assert all(one.description for one in actions.table().values())


def test_an_unknown_action_is_refused_and_those_that_there_are_are_named(as_alice: Api, conversation: UUID) -> None:
    refused = as_alice.post(f"conversations/{conversation}/messages/", {"text": "Dance", "action": "dance"})
    assert (refused.status, refused.code) == (400, "invalid")
    assert "chat" in refused.json["errors"]["action"][0]
    assert "stop" in refused.json["errors"]["action"][0]
    first = as_alice.post("conversations/", {"message": {"text": "Dance", "action": "dance"}})
    assert first.code == "invalid"


def test_stop_ends_what_runs_and_what_waits(alice: User, as_alice: Api, as_bob: Api) -> None:
    place = conversations.create(user=alice, assistant="guide", message="One").result(30).conversation.id
    say(alice, place, "Two")
    assert as_bob.post(f"conversations/{place}/messages/", {"text": "", "action": "stop"}).status == 404
    stopped = as_alice.post(f"conversations/{place}/messages/", {"text": "", "action": "stop", "cmid": "s"})
    assert (stopped.status, stopped.json["event"]["type"]) == (201, "run:end")
    assert stopped.json["run"]["status"] == "stopped"
    assert stopped.json["event"]["actor"]["id"] == str(alice.id)
    assert set(Run.objects.filter(conversation=place).values_list("status", flat=True)) == {"stopped"}
    again = as_alice.post(f"conversations/{place}/messages/", {"text": "", "action": "stop", "cmid": "s"})
    assert (again.status, again.json["dup"], again.json["event"]) == (201, True, stopped.json["event"])
    more = as_alice.post(f"conversations/{place}/messages/", {"text": "", "action": "stop", "cmid": "t"})
    assert more.code == "run_not_active"
    replayed(place)


def test_an_action_has_its_permission(alice: User, bob: User, conversation: UUID, shop: Any) -> None:
    """`order` is for who may change the conversation: Bob is its editor, an agent is not."""
    made = conversations.create(user=alice, members=[{"user": str(bob.id), "role": "agent"}]).result(30)
    assert refusal(send(bob, made.conversation.id, "a horse", action="order")) == "forbidden"
    assert send(bob, conversation, "a horse", action="order").result(30).main["data"]["assistant"] == "order"


async def test_an_action_of_ones_own_answers(alice: User, conversation: UUID, shop: Any) -> None:
    sent = await in_thread(lambda: send(alice, conversation, "a horse", action="order").result(30))
    assert sent.main["data"]["action"] == "order"
    await runner.take_turn(conversation)
    end = await ending(await Run.objects.aget(id=sent.main["data"]["run"]))
    assert (end["status"], end["text"]) == ("completed", "Ordered: a horse")
    await in_thread(replayed, conversation)


async def test_what_it_refuses_in_a_worker_ends_its_run(alice: User, conversation: UUID, shop: Any) -> None:
    sent = await in_thread(lambda: send(alice, conversation, "a unicorn", action="order").result(30))
    await runner.take_turn(conversation)
    end = await ending(await Run.objects.aget(id=sent.main["data"]["run"]))
    assert (end["status"], end["error"]) == (
        "failed", {"code": "sold_out", "message": "There are no unicorns left."}
    )  # fmt: skip


def test_what_it_refuses_under_the_lock_is_a_problem_and_nothing_is_written(
    as_alice: Api, alice: User, shop: Any
) -> None:
    place = conversations.create(user=alice, metadata={"locked": True}).result(30).conversation.id
    refused = as_alice.post(f"conversations/{place}/messages/", {"text": "Milk", "action": "note"})
    assert (refused.status, refused.code, refused.json["detail"]) == (400, "invalid", "No notes here.")
    assert len(frames(place)) == 1


async def test_over_a_socket_it_is_one_error_and_the_socket_stays(alice: User, alice_socket: Socket, shop: Any) -> None:
    made = await in_thread(lambda: conversations.create(user=alice, metadata={"locked": True}).result(30))
    where = {"type": "send", "conversation": str(made.conversation.id)}
    await alice_socket.say(**where, ref=1, cmid="1", text="Milk", action="note")
    error = await alice_socket.hear("error")
    assert (error["ref"], error["code"], error["message"]) == (1, "invalid", "No notes here.")
    await alice_socket.say(**where, ref=2, cmid="2", text="Milk", action="dance")
    assert (await alice_socket.hear("error"))["code"] == "invalid"
    await alice_socket.say(**where, ref=3, cmid="3", text="Milk")
    assert (await alice_socket.hear("sent"))["ref"] == 3


def test_an_action_that_breaks_is_no_traceback(as_alice: Api, conversation: UUID) -> None:
    def breaks(*_: Any) -> Any:
        raise ZeroDivisionError("secret")

    actions.register("breaks", actions.Action(Permission.SEND, "Breaks.", breaks))
    try:
        broken = as_alice.post(f"conversations/{conversation}/messages/", {"text": "Go", "action": "breaks"})
    finally:
        del actions._registered["breaks"]
        actions.table.cache_clear()
    assert (broken.status, broken.code) == (500, "internal")
    assert "secret" not in str(broken.json)
    assert as_alice.post(f"conversations/{conversation}/messages/", {"text": "Go on"}).status == 201


def test_entry_points_and_settings_name_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoint("plugged", "conversations.services.acts:STOP", actions.GROUP)
    monkeypatch.setattr(actions, "entry_points", lambda group: [found] if group == actions.GROUP else [])
    actions.table.cache_clear()
    with override_settings(ACTIONS={"mine": "conversations.services.acts.CHAT"}):
        assert set(actions.table()) == {"plugged", "mine"}
    actions.table.cache_clear()


def test_a_first_message_can_have_an_action(as_alice: Api, shop: Any) -> None:
    made = as_alice.post("conversations/", {"assistant": "guide", "message": {"text": "Milk", "action": "note"}})
    assert made.status == 201
    assert not Run.objects.filter(conversation=made.json["id"]).exists()
    ordered = as_alice.post("conversations/", {"message": {"text": "Milk", "action": "order"}})
    assert Run.objects.get(conversation=ordered.json["id"]).assistant == "order"
    replayed(UUID(ordered.json["id"]))
