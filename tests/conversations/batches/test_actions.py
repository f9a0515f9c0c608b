"""`action: batch` and `action: report` of a message: begun once, watched by a run that no worker waits for."""

from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.batches import acting, driving
from conversations.models import Batch, Report, Run
from conversations.reports import making
from conversations.services import messages, runs
from tests.api import Api
from tests.conversations.assistants.support import ending
from tests.conversations.batches.files import workbook
from tests.conversations.batches.working import queued, statuses
from tests.conversations.reports.working import talk
from tests.conversations.support import frames, replayed
from tests.provider import Provider


def act(user: User, place: UUID, action: str, text: str = "", parts: Any = None) -> Run:
    sent = messages.send(user=user, conversation=place, text=text, cmid=str(new_id()), action=action, parts=parts)
    return Run.objects.get(id=sent.result(30).main["data"]["run"])


def steps(place: UUID) -> list[tuple[str, int]]:
    found = [frame["data"] for frame in frames(place) if frame["type"] == "run:step"]
    return [(step["status"], step["input"]["done"]) for step in found]


async def finish(batch: Batch) -> None:
    await in_thread(driving.drive, str(batch.id))
    for conversation in await in_thread(queued, batch):
        await runner.take_turn(conversation)
    await in_thread(driving.drive, str(batch.id))


async def test_the_lines_of_a_message(alice: User, provider: Provider) -> None:
    place = await in_thread(talk, alice)
    run = await in_thread(act, alice, place, "batch", "say one\u2028two\n\nsay two")
    await runner.take_turn(place)
    await run.arefresh_from_db()
    assert (run.status, run.lease_until) == ("running", None)
    batch = await Batch.objects.aget(run=run.id)
    assert (batch.total, await in_thread(statuses, batch)) == (2, ["pending", "pending"])
    for _ in range(2):
        await runner.take_turn(place)
    assert await in_thread(steps, place) == [("running", 0)]

    await finish(batch)
    await runner.take_turn(place)
    end = await ending(run)
    assert (end["status"], f"/batches/{batch.id}/" in end["text"]) == ("completed", True)
    assert (await in_thread(steps, place))[-1] == ("completed", 2)
    assert await Batch.objects.filter(user=alice).acount() == 1
    await in_thread(replayed, place)


def test_a_file(alice: User, as_alice: Api) -> None:
    place = talk(alice)
    file = as_alice.upload(place, workbook(["question"], ["One?"], ["Two?"]), "x.xlsx").json["id"]
    run = act(alice, place, "batch", parts=[{"type": "file", "id": file}])
    claim = runs.claim(conversation=place, worker="test")
    assert claim
    from_file = acting.look(claim)
    assert from_file["shown"]["total"] == 2
    assert Batch.objects.get(run=run.id).rows.count() == 2


async def test_stopping_its_run_stops_the_batch(alice: User) -> None:
    place = await in_thread(talk, alice)
    run = await in_thread(act, alice, place, "batch", "One?\nTwo?")
    await runner.take_turn(place)
    batch = await Batch.objects.aget(run=run.id)
    await in_thread(driving.drive, str(batch.id))
    await in_thread(lambda: runs.stop(user=alice, run=run).result())
    assert (await Batch.objects.aget(id=batch.id)).status == "stopped"
    assert "pending" not in await in_thread(statuses, batch)


async def test_what_is_wrong_ends_the_run_and_nothing_is_begun(alice: User) -> None:
    place = await in_thread(talk, alice)
    for action, text, told in (("batch", " ", "There is no question."), ("report", "nonsense", "no such template")):
        run = await in_thread(act, alice, place, action, text)
        await runner.take_turn(place)
        end = await ending(run)
        assert (end["status"], told in end["error"]["message"]) == ("failed", True), end
    assert not await Batch.objects.filter(user=alice).aexists()


@pytest.mark.parametrize("text", ["", "transcript md"])
async def test_a_report(alice: User, text: str) -> None:
    place = await in_thread(talk, alice, "Tea", "Green?")
    run = await in_thread(act, alice, place, "report", text)
    await runner.take_turn(place)
    report = await Report.objects.aget(run=run.id)
    assert (await Run.objects.aget(id=run.id)).status == "running"
    await in_thread(making.work, str(report.id))
    await runner.take_turn(place)
    end = await ending(run)
    assert end["text"] == f"[Tea ({report.form.upper()})](/reports/{report.id}/)"
    await in_thread(replayed, place)
