"""Export in constant memory: `python -m bench.export [events]` (default 1,000,000; some minutes).

Fills a database of its own with three valid logs of growing length, exports each in a process of its own, and
prints peak memory and throughput. The table of docs/benchmarks.md comes from here.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

SIZES = (100, 10, 1)
TEXT = "What a person says in a chat, some words long; 有时也用中文写。 " * 4


def main(events: int) -> None:
    """The parent: starts the database, has it filled and exported by processes of their own."""
    from tests.plugins.services import TestServices

    services = TestServices()
    services.start()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatproject.settings"}
    try:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, env=environment)
        rows = [measured("single", events // part, environment) for part in SIZES]
        rows += [measured("bulk", events // part, environment) for part in SIZES]
    finally:
        services.stop()
    print("| export | events | file, MB | seconds | events/s | peak memory, MB | of that, for the export |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['kind']} | {row['events']:,} | {row['bytes'] / 1e6:.1f} | {row['seconds']:.1f}"
            f" | {row['events'] / row['seconds']:,.0f} | {row['peak'] / 1e3:.0f} | {row['grown'] / 1e3:.1f} |"
        )


def measured(kind: str, events: int, environment: dict[str, str]) -> dict[str, Any]:
    """Have a log filled (once), and exported in a fresh process, so that its peak is its own."""
    if kind == "single":
        subprocess.run([sys.executable, "-m", "bench.export", "fill", str(events)], check=True, env=environment)
    command = [sys.executable, "-m", "bench.export", kind, str(events)]
    done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def fill(events: int) -> None:
    """A log of a question and its answer over and over, sealed as the product does it, by COPY."""
    from django.db import connection

    from accounts.models import User
    from chatproject.lib import clock
    from chatproject.lib.crypto import DataKey
    from chatproject.lib.ids import new_id
    from conversations import keys
    from conversations.models import Conversation, Member

    user, _ = User.objects.get_or_create(username="bench")
    now = clock.now()
    row = Conversation(id=new_id(), owner=user, created_at=now, updated_at=now, last_seq=events)
    key = DataKey.generate()
    row.data_key, row.metadata = keys.wrap(key, row.id), {"events": events}
    row.save(force_insert=True)
    Member.objects.create(conversation=row, user=user, role="owner", since=now)
    columns = "conversation_id, seq, id, type, actor_kind, actor_id, actor_name, data, at"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    with connection.cursor() as cursor, cursor.copy(f"COPY conversations_event ({columns}) FROM STDIN") as copy:
        for record in log(row.id, key, str(user.id), events, now):
            copy.write_row(record)


def log(conversation: UUID, key: Any, user: str, events: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows of the table of events."""
    from chatproject.lib.ids import new_id
    from conversations import event_types

    for seq, (type_, data) in enumerate(story(events), 1):
        id_, kind = new_id(), "assistant" if type_.startswith("run") else "user"
        sealed = json.dumps(event_types.seal(type_, data, key, conversation, id_))
        author = user if kind == "user" else "guide"
        at = now - timedelta(milliseconds=events - seq)
        yield conversation, seq, id_, type_, kind, author, "Bench", sealed, at


def story(events: int) -> Iterator[tuple[str, dict[str, Any]]]:
    from chatproject.lib.ids import new_id

    yield "conversation:new", {"title": f"Bench {events}", "assistant": "guide", "metadata": {}}
    for number in range(events - 1):
        if number % 3 == 0:
            message, run, answer = (str(new_id()) for _ in range(3))
            asked = {"message": message, "text": f"{number} {TEXT}", "action": "chat", "assistant": "guide", "run": run}
            yield "message:new", {**asked, "tokens": {"o200k_base": 60}}
        elif number % 3 == 1:
            yield "run:start", {"run": run, "message": answer, "assistant": "guide", "reply_to": message}
        else:
            end = {"run": run, "message": answer, "status": "completed", "text": TEXT * 2, "usage": None}
            yield "run:end", {**end, "tokens": {"o200k_base": 120}}


def export(kind: str, events: int) -> None:
    """Export, and say what it took."""
    from conversations.models import Conversation
    from conversations.transfer.exporting import FORMS

    row = Conversation.objects.get(metadata={"events": events})
    warm_up = next(FORMS["jsonl"].write(row))
    before, began = peak(), time.perf_counter()
    written = sum(map(len, single(row) if kind == "single" else bulk(row)))
    seconds, after = time.perf_counter() - began, peak()
    told = {"kind": kind, "events": events, "bytes": written, "seconds": seconds, "peak": after}
    print(json.dumps({**told, "grown": after - before, "warm_up": len(warm_up)}))


def single(row: Any) -> Iterator[bytes]:
    """As `GET conversations/{id}/export/` gives it."""
    from conversations.transfer.exporting import FORMS

    return FORMS["jsonl"].write(row)


def bulk(row: Any) -> Iterator[bytes]:
    """Made by the background job, then as `GET exports/{id}/download/` gives it."""
    from conversations.services import exports
    from conversations.transfer import archives, zips
    from conversations.transfer import bulk as work

    made = exports.start(user=row.owner, conversations=[row.id])
    work.work(str(made.id))
    made.refresh_from_db()
    return zips.stream(archives.files(made))


def peak() -> int:
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    if len(sys.argv) < 3:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    else:
        import django

        django.setup()
        fill(int(sys.argv[2])) if sys.argv[1] == "fill" else export(sys.argv[1], int(sys.argv[2]))
