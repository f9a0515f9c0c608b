"""The page of a run shows what the assistant was sent."""

from django.test import Client

from accounts.models import User
from conversations.context import building, reports, terms
from conversations.services import contexts, runs
from tests.conversations.context.support import Talk


def test_what_was_sent_to_those_who_may_read(root: Client, clerk: Client, alice: User) -> None:
    talk = Talk(alice)
    talk.exchange("How many?", "Seven.", ("count", {"what": "oranges"}, {"found": 7}))
    talk.ask("Really all of them?")
    claim = runs.claim(conversation=talk.id, worker="test")
    assert claim
    made = building.build(talk.id, terms.for_assistant(None, system="Be brief.", max_messages=100), claim.reply_to)
    contexts.note_context(claim=claim, report=reports.stored(made, talk.id, claim.run))
    path = f"/admin/conversations/run/{claim.run}/change/"

    page = root.get(path).content.decode()
    for word in ("Be brief.", "How many?", "count {&quot;what&quot;:&quot;oranges&quot;}", "Really all of them?"):
        assert word in page, word
    assert f"{made.tokens} of 4000 tokens" in page
    assert "6 sent, 0 left out, 0 summaries" in page

    withheld = clerk.get(path).content.decode()
    assert f"{made.tokens} of 4000 tokens" in withheld
    for word in ("Be brief.", "How many?", "oranges", "Really all of them?"):
        assert word not in withheld
