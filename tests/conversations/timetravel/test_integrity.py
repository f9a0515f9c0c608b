"""Damage done by SQL is found exactly, and repaired from the log."""

from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as fewer

from accounts.models import AuditEntry, User
from chatproject.lib.clock import now
from chatproject.lib.ids import new_id
from conversations import queue
from conversations.integrity.inspecting import inspect
from conversations.integrity.report import Report
from conversations.models import Conversation, File, Message, PeriodicJob, Snapshot
from conversations.services import erasing, integrity, snapshots
from tests.conversations.support import projected, replayed
from tests.conversations.timetravel.stories import SEEDS, Story, told
from tests.conversations.timetravel.test_restore import say


@pytest.fixture
def story(alice: User, bob: User, mallory: User) -> Story:
    """A question with its answer, feedback, and a snapshot of it all."""
    told = Story({"alice": alice, "bob": bob, "mallory": mallory})
    told.send("alice", "Ask", "guide", "1").result(10)
    told.take()
    told.step("s1", "completed").result(10)
    told.end("completed").result(10)
    told.feedback("bob", 1, {"rating": "up"}).result(10)
    snapshots.take(conversation=told.id)
    return told


def damage(statement: str, conversation: UUID, **more: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": conversation, **more})


def found(conversation: UUID) -> list[str]:
    """Kinds and, for rows, which column of which table."""
    return [
        f"{one.kind} {one.difference.table}.{one.difference.field}" if one.difference else one.kind
        for one in inspect(conversation).findings
    ]


MESSAGE, RUN, CONVERSATION = "conversations_message", "conversations_run", "conversations_conversation"
MEMBER, FEEDBACK, SNAPSHOT = "conversations_member", "conversations_feedback", "conversations_snapshot"
ENTRY = "conversations_searchentry"
HERE = "WHERE conversation_id = %(id)s"
ASKED, ANSWER, BOB = f"{HERE} AND role = 'user'", f"{HERE} AND role = 'assistant'", f"{HERE} AND role = 'editor'"
LAST = f"{HERE} AND seq = (SELECT max(seq) FROM {ENTRY} {HERE})"
STRAY_RUN = f"""
    INSERT INTO {RUN} (id, conversation_id, reply_to, assistant, status, steps, queued_seq, queued_at, fence, worker,
                       stored)
    VALUES (%(new)s, %(id)s, %(new)s, 'guide', 'completed', '[]', 1, now(), 0, '', 0)
"""
STRAY_PIECE = f"""
    INSERT INTO conversations_runchunk (run_id, "offset", length, text) SELECT id, 0, 1, '{{}}' FROM {RUN} {HERE}
"""
# What is done to the rows, and what is to be found.
REPAIRABLE = [
    (f"UPDATE {MESSAGE} SET status = 'deleted' {ASKED}", ["drift message.status"]),
    (f"UPDATE {MESSAGE} SET text = '{{}}' {ASKED}", ["drift message.text"]),
    (f"UPDATE {MESSAGE} SET pinned = true {ASKED}", ["drift message.pinned"]),
    (f"UPDATE {MESSAGE} SET past = '[1]' {ASKED}", ["drift message.past"]),
    (f"UPDATE {MESSAGE} SET id = %(new)s {ASKED}", ["drift message.", "orphan message."]),
    (f"DELETE FROM {MESSAGE} {ANSWER}", ["drift message."]),
    (f"DELETE FROM {RUN} {HERE}", ["drift run."]),
    (STRAY_RUN, ["orphan run."]),
    (STRAY_PIECE, ["chunks"]),
    (f"UPDATE {RUN} SET steps = '[]' {HERE}", ["drift run.steps"]),
    (f"UPDATE {RUN} SET status = 'queued', ended_at = null {HERE}", ["drift run.status", "drift run.ended_at"]),
    (f"DELETE FROM {MEMBER} {BOB}", ["drift member."]),
    (f"UPDATE {MEMBER} SET role = 'owner' {BOB}", ["drift member.role"]),
    (f"DELETE FROM {FEEDBACK} {HERE}", ["drift feedback."]),
    (f"UPDATE {FEEDBACK} SET rating = 'down' {HERE}", ["drift feedback.rating"]),
    (f"UPDATE {CONVERSATION} SET up = 9 WHERE id = %(id)s", ["drift conversation.up"]),
    (f"UPDATE {CONVERSATION} SET status = 'closed' WHERE id = %(id)s", ["drift conversation.status"]),
    (f"UPDATE {CONVERSATION} SET title = null WHERE id = %(id)s", ["drift conversation.title"]),
    (f"UPDATE {CONVERSATION} SET active_run = %(new)s WHERE id = %(id)s", ["orphan conversation.active_run"]),
    (f"UPDATE {CONVERSATION} SET updated_at = now() WHERE id = %(id)s", ["drift"]),
    (f"UPDATE {CONVERSATION} SET last_seq = 4 WHERE id = %(id)s", ["head"]),
    (f"UPDATE {CONVERSATION} SET checkpoint_seq = 999 WHERE id = %(id)s", ["checkpoint"]),
    (f"DELETE FROM {ENTRY} {LAST}", ["search"]),
    (f"UPDATE {ENTRY} SET words = '{{7}}' {LAST}", ["search"]),
    (f"UPDATE {ENTRY} SET message = %(new)s {LAST}", ["search"]),
    (f"UPDATE {ENTRY} SET seq = 99 {LAST}", ["search", "search"]),
    (f"UPDATE {SNAPSHOT} SET checksum = '' {HERE}", ["snapshot"]),
    (f"UPDATE {SNAPSHOT} SET seq = 99 {HERE}", ["snapshot"]),
]


@pytest.mark.parametrize(("statement", "expected"), REPAIRABLE)
def test_damage_is_found_exactly_and_repaired(story: Story, statement: str, expected: list[str]) -> None:
    assert found(story.id) == []
    before = projected(story.id)
    damage(statement, story.id, new=new_id())
    assert sorted(found(story.id)) == sorted(expected)

    report = integrity.verify(conversation=story.id, repair=True)

    assert (report.findings, report.score) == ([], 1.0)
    after = projected(story.id)
    for run in (*before["runs"], *after["runs"]):
        # Of a run that was gone, the fence cannot be known; it has ended.
        run.update(fence=0, worker="", stored=0)
    assert after == before
    entry = AuditEntry.objects.get(action="conversation.repaired", target_id=str(story.id))
    assert sum(entry.detail["found"].values()) == len(expected)


def test_one_to_which_somebody_writes_meanwhile_is_repaired_too(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(conversation: UUID) -> Report:
        report = inspect(conversation)
        story.send("alice", "More", None, "2").result(10)
        return report

    damage(f"UPDATE {MESSAGE} SET pinned = true {ASKED}", story.id)
    monkeypatch.setattr(integrity, "inspect", meanwhile)
    assert integrity.verify(conversation=story.id, repair=True).findings == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM conversations_event WHERE conversation_id = %(id)s AND seq = 3", "hole"),
        ("UPDATE conversations_event SET at = at - interval '1 h' WHERE conversation_id = %(id)s AND seq = 4", "time"),
        ("UPDATE conversations_event SET data = '{}' WHERE conversation_id = %(id)s AND seq = 3", "event"),
        ("DELETE FROM conversations_event WHERE conversation_id = %(id)s AND seq = 7", "head"),
    ],
)
def test_what_the_log_cannot_repair_stays_found(story: Story, statement: str, expected: str) -> None:
    damage(statement, story.id)
    kinds = inspect(story.id).kinds
    assert kinds[expected] == 1
    assert inspect(story.id).score <= 0.5
    report = integrity.verify(conversation=story.id, repair=True)
    assert report.kinds[expected] == 1
    Conversation.objects.filter(id=story.id).delete()


@fewer(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS)
def test_any_story_is_in_order(alice: User, bob: User, mallory: User, seed: int) -> None:
    story = told({"alice": alice, "bob": bob, "mallory": mallory}, seed)
    snapshots.take(conversation=story.id)
    assert inspect(story.id).findings == []
    Message.objects.filter(conversation=story.id).delete()
    assert integrity.verify(conversation=story.id, repair=True).findings == []
    replayed(story.id)


def test_a_file_that_the_wrong_message_carries(story: Story) -> None:
    """The log tells of no message with this one."""
    asked = Message.objects.get(conversation=story.id, role="user")
    file = File.objects.create(
        conversation_id=story.id, message=asked.id, name={}, type="text/plain", size=1, digest=b"", created_at=now()
    )
    assert found(story.id) == ["file"]
    assert integrity.verify(conversation=story.id, repair=True).findings == []
    file.refresh_from_db()
    assert file.message is None


def test_one_that_was_erased_is_in_order(story: Story, alice: User) -> None:
    erasing.erase(user=alice, conversation=story.id)
    assert inspect(story.id).findings == []


def test_findings_tell_no_text(story: Story) -> None:
    damage(f'UPDATE {CONVERSATION} SET metadata = \'{{"x": "private"}}\', title = null WHERE id = %(id)s', story.id)
    report = inspect(story.id)
    assert len(report.findings) == 2
    assert "private" not in str(report.findings[0]) + str(report.findings[1])


def test_the_command(story: Story, conversation: UUID) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        output, progress = StringIO(), StringIO()
        try:
            call_command("verify", "--conversation", str(story.id), *arguments, stdout=output, stderr=progress)
        except CommandError as error:
            return error.returncode, output.getvalue()
        return 0, output.getvalue()

    assert run() == (0, "")
    damage(f"UPDATE {MESSAGE} SET status = 'hidden' WHERE conversation_id = %(id)s AND role = 'user'", story.id)
    code, text = run()
    assert code == 1
    assert f"{story.id} score 0.8" in text
    assert "status is 'hidden', by the log 'complete'" in text
    assert run("--repair") == (0, "")
    with pytest.raises(CommandError, match="no conversation"):
        call_command("verify", "--conversation", "x")


def test_the_job_goes_through_all_and_repairs(story: Story, settings: LazySettings, alice: User) -> None:
    before = PeriodicJob.objects.update_or_create(name=queue.VERIFY, defaults={"cursor": str(story.id)})[0]
    settings.VERIFY_BATCH = 1
    later = Story(story.cast)
    damage(f"UPDATE {MESSAGE} SET status = 'hidden' WHERE conversation_id = %(id)s", story.id)
    damage(f"UPDATE {CONVERSATION} SET up = 7 WHERE id = %(id)s", later.id)
    assert integrity.verify_some() == 1
    assert PeriodicJob.objects.get(name=before.name).cursor == str(later.id)
    assert inspect(later.id).findings == []
    assert inspect(story.id).findings, "not its turn"
    assert integrity.verify_some() == 0
    assert PeriodicJob.objects.get(name=before.name).cursor == "", "it begins again"


def test_the_job_leaves_what_is_good_enough(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    damage("UPDATE conversations_snapshot SET checksum = '' WHERE conversation_id = %(id)s", story.id)
    integrity._verify_one(story.id)
    assert Snapshot.objects.filter(conversation=story.id).exists()
    assert "checksum" in caplog.text


def test_a_write_that_meets_damaged_rows_repairs_them(story: Story, alice: User) -> None:
    """The handler of `message:edit` finds no row: rows are made right, and the edit is tried again."""
    message = Message.objects.get(conversation=story.id, role="assistant")
    story.send("alice", "Ask again", "guide", "2").result(10)
    story.take()
    damage(f"DELETE FROM {MESSAGE} WHERE conversation_id = %(id)s", story.id)
    story.end("completed").result(10)
    assert inspect(story.id).findings == []
    assert Message.objects.filter(id=message.id).exists()
    assert say(alice, story.id, "And on")
