"""Agents who claim the same conversation at once, from processes of their own."""

import subprocess
import sys

from accounts.models import User
from conversations.models import Member
from tests.conversations.services.people import desk, standing, waiting
from tests.conversations.support import environment, replayed

CLAIM = """
import sys, uuid, django
django.setup()
from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.services import handoff
user = User.objects.get(id=sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    try:
        handoff.claim(user=user, conversation=uuid.UUID(line.strip())).result(30)
        print("taken", flush=True)
    except Problem as problem:
        print(problem.code.name, problem.extra["agent"]["id"], flush=True)
"""


def racer(agent: User) -> "subprocess.Popen[str]":
    """A process that claims for an agent every conversation that it reads of."""
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(agent.id)],
        env=environment(DJANGO_SETTINGS_MODULE="chatproject.settings"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def said(one: "subprocess.Popen[str]") -> str:
    assert one.stdout
    return one.stdout.readline().strip()


def test_of_two_processes_that_claim_at_once_one_gets_it(alice: User) -> None:
    agents = [desk() for _ in range(2)]
    with racer(agents[0]) as first, racer(agents[1]) as second:
        assert [said(one) for one in (first, second)] == ["ready", "ready"]
        for _ in range(10):
            conversation = waiting(alice)
            for one in (first, second):
                assert one.stdin
                one.stdin.write(f"{conversation}\n")
            outcomes = [said(first), said(second)]
            winner = agents[outcomes.index("taken")]
            assert sorted(outcomes) == sorted(["taken", f"conflict {winner.id}"])
            assert standing(conversation) == ("with_agent", winner.id)
            assert Member.objects.filter(conversation=conversation).count() == 2
            replayed(conversation)
