"""What is found after any story of edits, deletions and alternatives: what is shown, and nothing else."""

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.models import Message, SearchEntry
from conversations.search import finding, query, reindexing
from conversations.services import branches, conversations, messages, restoring, revisions, runs

WORDS = ("heron", "walrus", "zebra", "企鹅", "老虎")
STORY = st.lists(
    st.tuples(st.sampled_from(["say", "edit", "delete"]), st.integers(0, 5), st.sampled_from(WORDS)), max_size=12
)


def found(user: User, q: str) -> set[UUID]:
    return {hit.row.id for hit in finding.search(user, query.parse(q))}


def say(user: User, conversation: UUID, text: str) -> UUID:
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id())).result()
    return UUID(sent.main["data"]["message"])


def tell(user: User, conversation: UUID, story: list[tuple[str, int, str]]) -> dict[UUID, str]:
    """Do what the story says; the word that each message shows in the end."""
    shown: dict[UUID, str] = {}
    for what, number, word in story:
        message = list(shown)[number % len(shown)] if shown else None
        if what == "say" or message is None:
            shown[say(user, conversation, f"A {word}.")] = word
        elif what == "edit":
            revisions.edit(user=user, conversation=conversation, message=message, text=f"The {word}!").result()
            shown[message] = word
        else:
            revisions.delete(user=user, conversation=conversation, message=message).result()
            del shown[message]
    return shown


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=STORY)
def test_what_is_shown_is_found_and_nothing_else(story: list[tuple[str, int, str]], alice: User) -> None:
    conversation = conversations.create(user=alice).result().conversation.id
    shown = tell(alice, conversation, story)
    before = rows(conversation)
    for word in WORDS:
        there = {message for message, said in shown.items() if said == word}
        assert found(alice, word) & set(all_of(conversation)) == there
    SearchEntry.objects.filter(conversation=conversation).delete()
    reindexing.reindex(conversation)
    assert rows(conversation) == before


def rows(conversation: UUID) -> list[Any]:
    return list(SearchEntry.objects.filter(conversation=conversation).order_by("seq").values())


def all_of(conversation: UUID) -> list[UUID]:
    return list(Message.objects.filter(conversation=conversation).values_list("id", flat=True))


def test_a_restore_brings_back_what_was_found_then(alice: User) -> None:
    begun = conversations.create(user=alice, message="A heron").result()
    conversation, message = begun.conversation.id, UUID(begun.main["data"]["message"])
    revisions.edit(user=alice, conversation=conversation, message=message, text="A walrus").result()
    say(alice, conversation, "A zebra")
    restoring.restore(user=alice, conversation=conversation, to_seq=begun.main["seq"]).result()
    assert (found(alice, "heron"), found(alice, "walrus"), found(alice, "zebra")) == ({message}, set(), set())
    restoring.restore(user=alice, conversation=conversation, to_seq=begun.main["seq"] + 1).result()
    assert (found(alice, "heron"), found(alice, "walrus")) == (set(), {message})


def test_only_the_chosen_answer_is_found(alice: User) -> None:
    begun = conversations.create(user=alice, assistant="guide", message="Which bird?").result().conversation.id
    first = answer(begun, "A heron")
    branches.regenerate(user=alice, conversation=begun, message=first).result()
    second = answer(begun, "A walrus")
    assert (found(alice, "heron"), found(alice, "walrus")) == (set(), {second})
    branches.select(user=alice, conversation=begun, message=first).result()
    assert (found(alice, "heron"), found(alice, "walrus")) == ({first}, set())


def answer(conversation: UUID, text: str) -> UUID:
    """An assistant answers; the message."""
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    assert found_nothing_of(claim.message)
    runs.end(claim=claim, status="completed", text=text).result()
    return claim.message


def found_nothing_of(message: UUID) -> bool:
    return not SearchEntry.objects.filter(message=message).exists()
