"""The entries: complete after any story, keyed, and reached through the GIN index."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations import keys
from conversations.integrity import repairing
from conversations.models import Conversation, SearchEntry
from conversations.search import candidates, finding, hashing, query, reindexing, stretches
from conversations.search.words import asked, normal, terms
from conversations.services import conversations, messages

ONCE = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
WORDS = st.text("abcXYZ 19_-.@'数据库超时ガ한국é", min_size=1, max_size=40).filter(lambda text: bool(terms(text)))


def say(user: User, conversation: UUID, text: str) -> UUID:
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id())).result()
    return UUID(sent.main["data"]["message"])


def found(user: User, q: str, conversation: UUID | None = None) -> list[UUID]:
    return [hit.row.id for hit in finding.search(user, query.parse(q), conversation=conversation)]


def entries(conversation: UUID) -> list[tuple[int, list[int]]]:
    rows = SearchEntry.objects.filter(conversation=conversation).order_by("seq")
    return [(row.seq, sorted(row.words)) for row in rows]


@ONCE
@given(text=WORDS)
def test_every_word_of_a_message_finds_it(text: str, alice: User, conversation: UUID) -> None:
    message = say(alice, conversation, text)
    for word in asked(normal(text)):
        assert message in [row.id for row in look_for(alice, word.term)], word
    assert message in alike(alice, text)


def alike(user: User, text: str) -> list[UUID]:
    asked_for = query.alike(text)
    assert asked_for
    return [hit.row.id for hit in finding.search(user, asked_for)]


def look_for(user: User, term: str) -> list:
    """The messages whose entry has one term."""
    return candidates.find(query.Query((term,)), stretches.readable(user), 1000, user=user)


@ONCE
@given(text=WORDS)
def test_nothing_in_the_table_tells_a_word(text: str, alice: User, conversation: UUID) -> None:
    """Equal words of two conversations have nothing in common, and no word is there in clear."""
    other = conversations.create(user=alice, message=text).result().conversation.id
    say(alice, conversation, text)
    here = {value for _, words in entries(conversation) for value in words}
    there = {value for _, words in entries(other) for value in words}
    assert not here & there
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM conversations_searchentry e WHERE conversation_id = %s", [other])
        rows = cursor.fetchall()
    assert all(re.fullmatch(r"[-0-9a-f,(){}\"]+", row) for (row,) in rows)


@ONCE
@given(text=WORDS)
def test_conversations_of_others_never_match(text: str, alice: User, mallory: User, conversation: UUID) -> None:
    say(alice, conversation, text)
    assert alike(mallory, text) == []
    assert look_for(mallory, terms(text)[0]) == []
    with_stolen_places = candidates.find(query.Query(tuple(terms(text))), stretches.readable(alice), 1000, user=mallory)
    assert with_stolen_places == []


def test_entries_made_anew_are_the_same(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "One thing, 一件事")
    say(alice, conversation, "Another thing")
    conversations.update(user=alice, conversation=conversation, changes={"title": "Things"}).result()
    before = entries(conversation)
    assert len(before) == 4
    SearchEntry.objects.filter(conversation=conversation).delete()
    assert found(alice, "thing") == []
    assert reindexing.reindex(conversation) == 4
    assert entries(conversation) == before
    assert reindexing.reindex(conversation) == 0


def test_entries_by_other_rules_are_replaced(alice: User, conversation: UUID) -> None:
    message = say(alice, conversation, "A heron")
    SearchEntry.objects.filter(message=message).update(version=0, words=[1])
    assert found(alice, "heron") == []
    assert (conversation, 1) in list(reindexing.reindex_all())
    assert found(alice, "heron") == [message]


def test_a_rebuild_leaves_search_as_it_was(alice: User, conversation: UUID) -> None:
    message = say(alice, conversation, "A heron")
    repairing.rebuild(conversation)
    assert found(alice, "heron") == [message]


def test_an_erased_key_leaves_nothing_to_find(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "A heron")
    Conversation.objects.filter(id=conversation).update(data_key="")
    keys._cache.pop(conversation)
    assert found(alice, "heron") == []
    assert reindexing.reindex(conversation) == 0


def test_only_the_first_words_of_a_very_long_text(alice: User, conversation: UUID, settings: object) -> None:
    settings.SEARCH_WORDS_MAX = 10  # type: ignore[attr-defined]
    message = say(alice, conversation, " ".join(f"word{number}" for number in range(20)))
    assert found(alice, "word1") == [message]
    assert found(alice, "word19") == []


def fill(conversation: UUID, count: int, text: str) -> None:
    """As many entries as a long conversation has, of one text; only the newest are about messages that exist."""
    key = keys.of(conversation)
    hashes = hashing.hashed(key, terms(text))
    SearchEntry.objects.bulk_create(
        [
            SearchEntry(
                conversation_id=conversation,
                seq=seq,
                event=new_id(),
                message=new_id(),
                words=hashing.placed(hashes, conversation, hashing.stretch_of(seq)),
                version=1,
            )
            for seq in range(100, 100 + count)
        ]
    )


def test_the_index_is_used(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "A needle")
    fill(conversation, 5_000, "hay and straw")
    Conversation.objects.filter(id=conversation).update(last_seq=5_200)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE conversations_searchentry")
    for wanted in (candidates.all_of, candidates.some_of):
        plan = explain(alice, "needle hay", wanted)
        assert "Bitmap Index Scan on search_words" in plan
        assert "Seq Scan on conversations_searchentry" not in plan


def explain(
    user: User, q: str, wanted: Callable[[query.Query], candidates.Wanted] = candidates.all_of, limit: int = 200
) -> str:
    asked = query.parse(q)
    sql, given = candidates.statement(wanted(asked), asked, stretches.readable(user), limit, user, None)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE) {sql}", given)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_a_long_conversation_is_gone_through_from_its_end_and_no_further(
    alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "STRETCH", 4)
    said = [say(alice, conversation, f"A heron {number}") for number in range(20)]
    assert [list(one.numbers) for one in stretches.readable(alice)] == [[5], [4, 3], [2, 1, 0]]
    newest = candidates.find(query.parse("heron"), stretches.readable(alice), 5, user=alice)
    assert [row.id for row in newest] == said[:-6:-1]
    [entries] = re.findall(
        r"Scan (?:using|on) .*conversations_searchentry.* loops=(\d+)", explain(alice, "heron", limit=5)
    )
    assert int(entries) == 2
    assert found(alice, "heron") == said[::-1]


def test_more_results_take_no_more_queries(alice: User, conversation: UUID) -> None:
    for number in range(20):
        say(alice, conversation, f"A heron {number}")
    with CaptureQueriesContext(connection) as asked_for:
        hits = finding.search(alice, query.parse("heron bird"))
        assert len([hit.wire(query.parse("heron bird")) for hit in hits]) == 20
    assert len(asked_for) <= 5
