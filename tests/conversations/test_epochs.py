"""Epochs: new ones for conversations on command, and by themselves for a database that is another one."""

import time
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from chatproject import embedded
from chatproject.embedded.layout import Layout, make_data_dir
from chatproject.embedded.progress import Progress
from chatproject.embedded.services import prepare, start_services
from chatproject.embedded.supervisor import Supervisor
from chatproject.lib.ids import new_id
from chatproject.lib.incarnation import INCARNATION
from conversations import epochs, selectors
from conversations.models import Conversation
from conversations.services import conversations, maintenance
from tests import serving
from tests.api import Api


def test_what_clients_see_stands_still(as_alice: Api, conversation: UUID) -> None:
    row = Conversation.objects.get(id=conversation)
    seen = as_alice.get(f"conversations/{conversation}/").json["epoch"]
    assert seen == as_alice.get(f"conversations/{conversation}/events/").json["epoch"]
    assert seen == selectors.head(conversation)[0] == selectors.heads([conversation])[conversation][0]
    assert seen == epochs.visible(row.epoch) != str(row.epoch)


@given(st.text(max_size=40), st.text(max_size=40))
def test_another_incarnation_is_another_epoch(one: str, other: str) -> None:
    epoch = new_id()
    seen = UUID(epochs.mixed(epoch, one))
    assert (seen == UUID(epochs.mixed(epoch, other))) == (one == other)
    assert (seen.version, seen.variant) == (7, epoch.variant)
    assert seen.int >> 80 == epoch.int >> 80  # of the same time


def test_a_database_that_is_another_one(as_alice: Api, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"conversations/{conversation}/events/"
    before = as_alice.get(path).json["epoch"]
    monkeypatch.setattr(epochs, "incarnation", lambda: "another:00000002")
    answer = as_alice.get(f"{path}?after_seq=1&epoch={before}")
    assert (answer.code, answer.json["reason"]) == ("resync_required", "epoch")
    assert answer.json["epoch"] == as_alice.get(path).json["epoch"] != before


def incarnation(data_dir: Path) -> str:
    """As soon as recovery is over; until then the server can be read, but has no timeline of its own."""
    with psycopg.connect(embedded.urls(data_dir)[0], autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            time.sleep(0.02)
        row = connection.execute(INCARNATION).fetchone()
    assert row
    return str(row[0])


def test_restored_and_recovered_it_has_another_timeline() -> None:
    """A PostgreSQL that is restarted is the same; one that was recovered from an archive is not."""
    with serving.data_dir() as data_dir:
        make_data_dir(data_dir)
        layout = Layout(data_dir)
        prepare(layout)
        seen = []
        for recovering in (False, False, True):
            if recovering:
                (layout.cluster / "recovery.signal").touch()
                with (layout.cluster / "postgresql.auto.conf").open("a") as file:
                    file.write("restore_command = 'false'\n")
            supervisor = Supervisor(Progress())
            try:
                start_services(supervisor, layout, with_redis=False)
                seen.append(incarnation(data_dir))
            finally:
                supervisor.stop()
    assert seen[0] == seen[1] != seen[2]
    assert [one.partition(":")[2] for one in seen] == ["00000001", "00000001", "00000002"]


def new_epoch(*arguments: str) -> str:
    out = StringIO()
    call_command("new_epoch", *arguments, stdout=out)
    return out.getvalue()


def test_one_conversation(alice: User, conversation: UUID) -> None:
    other = conversations.create(user=alice).result(30).conversation.id
    before = selectors.heads([conversation, other])

    assert str(conversation) in new_epoch("--conversation", str(conversation))

    after = selectors.heads([conversation, other])
    assert after[other] == before[other]
    assert after[conversation][0] != before[conversation][0]
    assert after[conversation][1] == before[conversation][1]
    assert AuditEntry.objects.filter(action="conversation.new_epoch", target_id=str(conversation)).exists()


def test_one_that_is_not_there(conversation: UUID) -> None:
    assert new_epoch("--conversation", str(uuid4())) == ""


def test_in_batches_that_can_be_gone_on_with(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    ids = [conversations.create(user=alice).result(30).conversation.id for _ in range(5)]
    before = selectors.heads(ids)

    steps = maintenance.renew_epochs(after=ids[0])
    assert next(steps) == ids[2]
    half = selectors.heads(ids)  # killed here
    assert [half[id_] != before[id_] for id_ in ids] == [False, True, True, False, False]

    new_epoch("--after", str(ids[2]))
    after = selectors.heads(ids)
    assert [after[id_] != before[id_] for id_ in ids] == [False, True, True, True, True]
    assert [after[id_] != half[id_] for id_ in ids] == [False, False, False, True, True]
