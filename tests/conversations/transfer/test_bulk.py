"""Exports of many conversations: made by a worker that may die, downloaded by who asked, gone when they should be."""

import io
import os
import signal
import subprocess
import sys
from datetime import timedelta
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from django.db.models.functions import Now
from django.test.utils import override_settings

from accounts.models import AuditEntry, User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import background
from conversations.models import Conversation, Export, ExportChunk, ExportItem
from conversations.services import conversations, erasing, exports, members, messages
from conversations.transfer import bulk, exporting
from tests.api import Api
from tests.conversations.support import check_numbers
from tests.conversations.transfer.files import ask, database_url
from tests.conversations.transfer.importing import exported, imported


@pytest.fixture
def three(alice: User, bob: User) -> list[UUID]:
    """Conversations with a message each, in order of their ids."""
    made = [
        conversations.create(user=alice, title=f"Tea {n}", message=f"Text {n}", members=[{"user": bob.username}])
        for n in range(3)
    ]
    return sorted(one.result(30).conversation.id for one in made)


async def files(user: User, export: UUID) -> dict[str, bytes]:
    """The content of the archive by the end of each name."""
    answer = await ask(user, f"exports/{export}/download/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    archive = ZipFile(io.BytesIO(b"".join([piece async for piece in answer.streaming_content])))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


async def test_all_of_it(as_alice: Api, alice: User, three: list[UUID]) -> None:
    begun = (await in_thread(as_alice.post, "exports/")).json
    assert (begun["status"], begun["progress"], begun["total"], begun["download_url"]) == ("queued", 0, 3, None)
    await in_thread(bulk.work, begun["id"])
    done = (await in_thread(as_alice.get, f"exports/{begun['id']}/")).json
    assert (done["status"], done["progress"]) == ("completed", 1)
    assert done["download_url"] == f"/api/v1/exports/{begun['id']}/download/"

    found = await files(alice, begun["id"])
    assert list(found.values()) == [await in_thread(exported, id_) for id_ in three]
    assert sorted(name[:5] for name in found) == ["Tea 0", "Tea 1", "Tea 2"]
    copy = await in_thread(imported, alice, next(iter(found.values())))
    assert await in_thread(check_numbers, copy) == 3
    actions = await in_thread(list, AuditEntry.objects.filter(target_id=begun["id"]).values_list("action", flat=True))
    assert sorted(actions) == ["export.downloaded", "export.started"]


async def test_some_of_it(as_bob: Api, bob: User, three: list[UUID]) -> None:
    begun = (await in_thread(as_bob.post, "exports/", {"conversations": [str(three[1])]})).json
    await in_thread(bulk.work, begun["id"])

    assert list((await files(bob, begun["id"])).values()) == [await in_thread(exported, three[1])]


def test_only_ones_own(as_alice: Api, as_mallory: Api, as_bob: Api, three: list[UUID]) -> None:
    assert as_mallory.post("exports/", {"conversations": [str(three[0])]}).code == "not_found"
    id_ = as_alice.post("exports/").json["id"]
    for api in (as_mallory, as_bob):
        assert api.get(f"exports/{id_}/").code == "not_found"
        assert api.get(f"exports/{id_}/download/").code == "not_found"
        assert api.delete(f"exports/{id_}/").code == "not_found"
        assert api.get("exports/").json["results"] == []
    assert [one["id"] for one in as_alice.get("exports/").json["results"]] == [id_]
    assert as_alice.get(f"exports/{id_}/download/").code == "conflict"


def test_the_same_key_begins_one(as_alice: Api, three: list[UUID]) -> None:
    first, again = (as_alice.post("exports/", Idempotency_Key="one").json for _ in range(2))
    assert first == again
    other = as_alice.post("exports/", {"conversations": [str(three[0])]}, Idempotency_Key="one")
    assert other.code == "idempotency_mismatch"
    as_alice.delete(f"exports/{first['id']}/")
    assert as_alice.post("exports/", Idempotency_Key="one").code == "conflict"


@override_settings(EXPORTS_MAX=1)
def test_there_are_not_too_many(as_alice: Api) -> None:
    id_ = as_alice.post("exports/").json["id"]
    assert as_alice.post("exports/").code == "quota_exceeded"
    assert as_alice.delete(f"exports/{id_}/").status == 204
    assert as_alice.post("exports/").status == 201


@pytest.mark.parametrize("body", [{"conversations": "all"}, {"conversations": ["x"]}, {"conversations": [None]}, [1]])
def test_bad_bodies(as_alice: Api, body: object) -> None:
    assert as_alice.post("exports/", body).code == "invalid"


def test_nothing_to_export(alice: User) -> None:
    export = exports.start(user=alice)
    bulk.work(str(export.id))
    export.refresh_from_db()
    assert (export.status, export.progress) == ("completed", 1)


def test_what_may_not_be_read_any_more_is_left_out(alice: User, bob: User, three: list[UUID]) -> None:
    export = exports.start(user=bob)
    members.remove(actor=alice, conversation=three[0], user=bob.id).result(30)
    Conversation.objects.filter(id=three[1]).update(data_key="")
    bulk.work(str(export.id))

    export.refresh_from_db()
    stored = ExportItem.objects.filter(export=export, chunks__gt=0).values_list("conversation_id", flat=True)
    assert (export.status, export.done) == ("completed", 3)
    assert set(stored) <= set(three[1:])
    assert not ExportChunk.objects.filter(export=export, conversation_id=three[0]).exists()


def test_a_killed_worker_is_followed_by_another(alice: User, three: list[UUID]) -> None:
    """The first dies within its second conversation, as by `kill -9`."""
    export = exports.start(user=alice)
    started = "import django; django.setup(); from conversations.transfer import bulk; bulk.work('%s')"
    worker = subprocess.run(
        [sys.executable, "-c", "import itertools\nfrom chatproject.lib import failpoints\nn = itertools.count()\n"
         "hit = failpoints.hit\nfailpoints.hit = lambda name: next(n) and hit(name)\n" + started % export.id],
        env={**os.environ, "CRASH_AT": "export_item", "DJANGO_SETTINGS_MODULE": "chatproject.settings",
             "DATABASE_URL": database_url(), "EXPORT_LEASE_SECONDS": "1"},
        timeout=60,
    )  # fmt: skip
    assert worker.returncode == -signal.SIGKILL
    export.refresh_from_db()
    first = ExportItem.objects.get(export=export, conversation_id=three[0])
    assert (export.status, export.done, first.done) == ("running", 1, True)
    half = set(ExportChunk.objects.filter(export=export).values_list("conversation_id", flat=True))
    assert half == set(three[:2])
    kept = bytes(ExportChunk.objects.get(export=export, conversation_id=three[0], number=0).data)

    Export.objects.filter(id=export.id).update(lease_until=Now() - timedelta(seconds=1))
    bulk.work(str(export.id))
    export.refresh_from_db()
    assert (export.status, export.done, export.fence) == ("completed", 3, 2)
    assert bytes(ExportChunk.objects.get(export=export, conversation_id=three[0], number=0).data) == kept
    items = ExportItem.objects.filter(export=export).order_by("conversation_id")
    assert [b"".join(bulk.pieces(export, item)) for item in items] == [exported(id_) for id_ in three]


def test_a_worker_that_only_slept_writes_nothing(alice: User, three: list[UUID]) -> None:
    export = exports.start(user=alice)
    asleep = bulk._claim(export.id)
    assert asleep
    assert bulk._claim(export.id) is None
    Export.objects.filter(id=export.id).update(lease_until=None)
    bulk.work(str(export.id))
    item = ExportItem.objects.filter(export=export).first()
    assert item
    with pytest.raises(bulk.Lost):
        bulk._do(asleep, item)
    assert b"".join(bulk.pieces(export, item)) == exported(item.conversation_id)


def test_cancelled_in_the_middle(alice: User, three: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    export = exports.start(user=alice)
    monkeypatch.setattr(background, "pause", lambda: Export.objects.filter(id=export.id).delete())
    bulk.work(str(export.id))

    assert not Export.objects.filter(id=export.id).exists()
    assert not ExportChunk.objects.filter(export_id=export.id).exists()


def test_erasing_a_conversation_deletes_what_holds_it(alice: User, bob: User, three: list[UUID]) -> None:
    all_, one = exports.start(user=alice), exports.start(user=bob, conversations=three[:1])
    for export in (all_, one):
        bulk.work(str(export.id))
    erasing.erase(user=alice, conversation=three[2])

    assert list(Export.objects.filter(user__in=[alice, bob])) == [one]
    assert set(ExportChunk.objects.filter(export__in=[all_, one]).values_list("export", flat=True)) == {one.id}


def test_what_has_expired_is_deleted(alice: User, three: list[UUID], as_alice: Api) -> None:
    export = exports.start(user=alice)
    bulk.work(str(export.id))
    Export.objects.filter(id=export.id).update(expires_at=Now())
    assert as_alice.get(f"exports/{export.id}/").code == "not_found"
    exports.mend()

    assert not ExportChunk.objects.filter(export_id=export.id).exists()


def test_what_nobody_can_finish_is_given_up(alice: User) -> None:
    export = exports.start(user=alice)
    Export.objects.filter(id=export.id).update(fence=exports.ATTEMPTS)
    exports.mend()

    export.refresh_from_db()
    assert export.status == "failed"


def test_no_text_is_stored_in_clear(alice: User) -> None:
    marker = "Tulip-" + uuid4().hex
    made = conversations.create(user=alice, title=marker, message=marker).result(30).conversation.id
    for n in range(20):
        messages.send(user=alice, conversation=made, text=marker * 100, cmid=str(n)).result(30)
    export = exports.start(user=alice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "CHUNK_BYTES", 20_000)
        patch.setattr(exporting, "PAGE", 3)
        bulk.work(str(export.id))

    chunks = ExportChunk.objects.filter(export=export).values_list("data", flat=True)
    assert len(chunks) > 1
    assert not [chunk for chunk in chunks if marker.encode() in bytes(chunk)]
    item = ExportItem.objects.get(export=export)
    assert b"".join(bulk.pieces(export, item)) == exported(made)


def test_staff_export_any_selection(alice: User, mallory: User, three: list[UUID]) -> None:
    """As long as they may read content."""
    mallory.is_staff = mallory.is_superuser = True
    mallory.save()
    selection = Conversation.objects.filter(id__in=three[:2])
    one, two = (exports.start_as_staff(staff=mallory, conversations=selection) for _ in range(2))
    bulk.work(str(one.id))
    mallory.is_superuser = False
    mallory.save()
    bulk.work(str(two.id))

    assert set(ExportChunk.objects.filter(export=one).values_list("conversation_id", flat=True)) == set(three[:2])
    assert not ExportChunk.objects.filter(export=two).exists()


def test_a_chunk_that_was_moved_is_found_out(alice: User, three: list[UUID]) -> None:
    export = exports.start(user=alice)
    bulk.work(str(export.id))
    other = ExportChunk.objects.get(export=export, conversation_id=three[1])
    ExportChunk.objects.filter(export=export, conversation_id=three[0]).update(data=other.data)

    with pytest.raises(Exception, match="ciphertext"):
        list(bulk.pieces(export, ExportItem.objects.get(export=export, conversation_id=three[0])))


def test_quota_counts_under_the_users_lock(alice: User) -> None:
    exports.start(user=alice)
    with override_settings(EXPORTS_MAX=1), pytest.raises(Problem, match="quota_exceeded"):
        exports.start(user=alice)
