"""`manage.py rotate_keys`: a new primary key while everything can be read, also after a kill in the middle."""

import base64
import secrets
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.test import override_settings
from pytest_django import Settings

from accounts.models import User
from accounts.services import factors
from chatproject.embedded.layout import Layout
from chatproject.embedded.secretfiles import add_encryption_key
from chatproject.lib.crypto import Keyring
from conversations import keys, primary_keys, selectors
from conversations.models import Conversation
from conversations.services import conversations, maintenance, resealing
from tests.conversations.support import environment


def new_key(id_: str) -> str:
    return f"{id_}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@pytest.fixture
def rotated(settings: Settings) -> Iterator[str]:
    """The id of a new first key of this process; the old one stays behind it. Everything is wrapped back at the end."""
    old = list(settings.ENCRYPTION_KEYS)
    key = new_key(f"n{secrets.token_hex(4)}")
    settings.ENCRYPTION_KEYS = [key, *old]
    keys.keyring.cache_clear()
    keys._cache.clear()
    yield key.partition(":")[0]
    settings.ENCRYPTION_KEYS = [*old, key]
    keys.keyring.cache_clear()
    list(maintenance.rewrap())
    factors.reseal()
    resealing.reseal()
    settings.ENCRYPTION_KEYS = old
    keys.keyring.cache_clear()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def wrapper(conversation: UUID) -> str:
    return Conversation.objects.get(id=conversation).data_key.partition(":")[0]


def title(conversation: UUID, user: User) -> object:
    keys._cache.clear()
    return selectors.wire_conversation(selectors.shown_conversation(user, conversation))["title"]


def test_everything_is_wrapped_by_the_new_key(alice: User, conversation: UUID, rotated: str) -> None:
    old = project.ENCRYPTION_KEYS[1].partition(":")[0]
    secret = keys.of(conversation)
    assert (wrapper(conversation), title(conversation, alice)) == (old, "Plans")

    said = run("--force")

    assert (
        f"Done: every data key is wrapped by {rotated}, every second factor and connector's secret sealed by it."
        in said
    )
    assert f"Not needed by the database any more: {old}" in said
    assert (wrapper(conversation), title(conversation, alice)) == (rotated, "Plans")
    assert keys.of(conversation) == secret
    assert maintenance.primary_keys_in_use() == [rotated]
    assert "0 data keys to wrap" in run("--force")


def test_erased_conversations_stay_erased(alice: User, rotated: str) -> None:
    erased = conversations.create(user=alice).result(30).conversation.id
    Conversation.objects.filter(id=erased).update(data_key="")
    run("--force")
    assert Conversation.objects.get(id=erased).data_key == ""


def test_old_rows_are_read_and_new_ones_written_throughout(
    alice: User, rotated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(maintenance.rewrap())  # those of other tests
    with override_settings(ENCRYPTION_KEYS=project.ENCRYPTION_KEYS[::-1]):
        keys.keyring.cache_clear()
        before = [conversations.create(user=alice, title=f"Old {n}").result(30).conversation.id for n in range(7)]
    keys.keyring.cache_clear()
    assert maintenance.wrapped_otherwise() == 7
    monkeypatch.setattr(maintenance, "BATCH", 3)
    for number, _ in enumerate(maintenance.rewrap(), 1):
        conversations.create(user=alice, title=f"New {number}").result(30)
        assert [title(id_, alice) for id_ in before] == [f"Old {n}" for n in range(7)]
    assert (maintenance.wrapped_otherwise(), number) == (0, 3)


def test_a_killed_rotation_is_gone_on_with(alice: User, rotated: str) -> None:
    """kill -9 after the first batch, as a process of its own."""
    ids = [conversations.create(user=alice, title=f"No {n}").result(30).conversation.id for n in range(5)]
    Conversation.objects.filter(id__in=ids).update(data_key="")  # wrapped by the old key below
    old = Keyring(project.ENCRYPTION_KEYS[1:])
    for id_ in ids:
        Conversation.objects.filter(id=id_).update(data_key=old.wrap(keys._cache[id_], id_.hex))
    command = "from conversations.services import maintenance; maintenance.BATCH = 2; from django.core.management import call_command; call_command('rotate_keys', '--force')"  # noqa: E501
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", command],
        env=environment(ENCRYPTION_KEYS=" ".join(project.ENCRYPTION_KEYS)),
        cwd=project.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    while " of " not in process.stdout.readline():
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    left = maintenance.wrapped_otherwise()
    assert [title(id_, alice) for id_ in ids] == [f"No {n}" for n in range(5)]

    run("--force")

    assert left > 0
    assert maintenance.wrapped_otherwise() == 0
    assert [title(id_, alice) for id_ in ids] == [f"No {n}" for n in range(5)]


def test_it_waits_until_every_process_knows_the_key(conversation: UUID, rotated: str) -> None:
    """This process's connections were opened when the key was not there yet."""
    with pytest.raises(CommandError, match=f"do not know key {rotated}"):
        run()
    assert wrapper(conversation) != rotated


def test_processes_that_know_it_do_not_count(conversation: UUID) -> None:
    known = project.ENCRYPTION_KEYS[0].partition(":")[0]
    assert maintenance.connections_without(known) == 0
    assert maintenance.connections_without("another") > 0


def test_keys_in_use_is_one_step_per_key(conversation: UUID, rotated: str) -> None:
    assert set(maintenance.primary_keys_in_use()) == {
        row.partition(":")[0] for row in Conversation.objects.exclude(data_key="").values_list("data_key", flat=True)
    }
    assert "RECURSIVE" in primary_keys.IN_USE


def test_a_new_key_in_data_dir_is_the_first(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.secrets.mkdir(mode=0o700)
    path = layout.secrets / "encryption_keys"
    old = new_key("k1")
    path.write_text(f"{old}\n")
    path.chmod(0o600)

    id_ = add_encryption_key(layout)

    first, second = path.read_text().split()
    assert (first.partition(":")[0], second) == (id_, old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not Keyring([first, second]).weak()


def test_keys_of_the_environment_are_told_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", new_key("k1"))
    said = run("--make")
    assert "Put this key in front" in said
    assert not Keyring([said.splitlines()[1]]).weak()
