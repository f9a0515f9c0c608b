"""The primary key is changed while people talk: processes restart in turn, `rotate_keys` is killed and run again,
the old key is taken away. Every old line can be read, nothing is lost."""

import asyncio
import base64
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.faults.cluster import Cluster
from tests.faults.outside import Api, People
from tests.faults.support import connected
from tests.faults.test_drain import ENDED
from tests.postgres import Postgres
from tests.serving import BASE_DIR

CONVERSATIONS = 40
ONE_BY_ONE = (
    "import django; django.setup()\n"
    "from django.core.management import call_command\n"
    "from conversations.services import maintenance\n"
    "maintenance.BATCH = 1; call_command('rotate_keys')"
)
WRAPPED = "SELECT split_part(data_key, ':', 1), count(*) FROM conversations_conversation GROUP BY 1"


def new_key(id_: str) -> str:
    return f"{id_}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@pytest.mark.faults
async def test_rotation_in_traffic(cluster: Callable[..., Cluster], postgres: Postgres) -> None:
    old, new = new_key("old"), new_key("new")
    database = postgres.database("keys")
    async with cluster(webs=2, DATABASE_URL=database, ENCRYPTION_KEYS=old, DRAIN_SECONDS="1") as running:
        people = await People.gather(Api(running.webs[0].url), running.addresses, places=3)
        await asyncio.to_thread(more_conversations, people)
        async with connected(*people.clients):
            talking = asyncio.create_task(people.talk(12, pause=0.3))
            await restart_all(running, f"{new} {old}")
            environment = running.webs[0].environment
            await asyncio.to_thread(rotate, environment, killed_after=10)
            found = dict(postgres.run(WRAPPED, database="keys"))
            assert found["old"] > 0
            assert found["new"] >= 10, "killed in the middle"
            await asyncio.to_thread(rotate, environment)
            assert dict(postgres.run(WRAPPED, database="keys")) == {"new": CONVERSATIONS + 3}
            await restart_all(running, new)
            await talking
            logs = await people.check()
        texts = [event["data"]["text"] for log in logs.values() for event in log if event["type"] == "message:new"]
        assert set(texts) == {"Hello"}
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


def more_conversations(people: People) -> None:
    for number in range(CONVERSATIONS):
        people.api.call("conversations/", {"title": f"Another {number}"}, people.tokens[0])


def rotate(environment: dict[str, str], *, killed_after: int | None = None) -> None:
    """Run `manage.py rotate_keys`, one conversation in each transaction; kill it after some of them."""
    command = [sys.executable, "-c", ONE_BY_ONE]
    with subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if killed_after and line.startswith(f"{killed_after} of "):
                process.kill()
    assert process.returncode == (-signal.SIGKILL if killed_after else 0)


async def restart_all(running: Cluster, keys: str) -> None:
    """One server after the other, with these keys."""
    for web in running.webs:
        assert await asyncio.to_thread(web.stop) in ENDED
        web.environment["ENCRYPTION_KEYS"] = keys
        web.start()
        await web.ready()
