"""The ranking against judgements, through the whole of search: `pytest --junitxml` notes the figures."""

from collections.abc import Callable
from statistics import mean
from uuid import UUID

import pytest

from accounts.models import User
from conversations.search import finding, query
from conversations.services import conversations, messages
from tests.conftest import new_user
from tests.conversations.search.judgements import Judgement, load

LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def reader() -> User:
    return new_user("Reader")


@pytest.fixture(scope="module")
def told(reader: User) -> dict[UUID, str]:
    """All documents, said in a few conversations of one user: message -> id of the document."""
    documents = {**load("en").documents, **load("zh").documents}
    places = [conversations.create(user=reader).result().conversation.id for _ in range(4)]
    sent = {
        id_: messages.send(user=reader, conversation=places[number % 4], text=text, cmid=id_)
        for number, (id_, text) in enumerate(documents.items())
    }
    return {UUID(future.result().main["data"]["message"]): id_ for id_, future in sent.items()}


def found(reader: User, told: dict[UUID, str], q: str) -> list[str]:
    return [told[hit.row.id] for hit in finding.search(reader, query.parse(q))]


def test_there_are_enough_of_them() -> None:
    sets = [load(language) for language in LANGUAGES]
    assert sum(len(one.documents) for one in sets) >= 200
    asked = [one for judged in sets for one in judged.queries]
    assert len(asked) >= 40
    assert sum(one.held_out for one in asked) * 2 >= len(asked)
    for judged in sets:
        assert all(one.relevant <= judged.documents.keys() for one in judged.queries)


@pytest.mark.parametrize("held_out", [False, True], ids=["seen", "held out"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_looked_for_is_among_the_first_ten(
    reader: User,
    told: dict[UUID, str],
    language: str,
    held_out: bool,
    record_property: Callable[[str, object], None],
) -> None:
    asked = [one for one in load(language).queries if one.held_out == held_out]
    results = {one: found(reader, told, one.query) for one in asked}
    recall = mean(one.recall(ids) for one, ids in results.items())
    ndcg = mean(one.ndcg(ids) for one, ids in results.items())
    record_property("recall@10", round(recall, 3))
    record_property("nDCG@10", round(ndcg, 3))
    assert recall >= 0.9, missed(results)
    assert ndcg >= 0.8, missed(results)


def missed(results: dict[Judgement, list[str]]) -> str:
    return "\n".join(
        f"{one.query}: wanted {sorted(one.relevant)}, first {ids[:5]}"
        for one, ids in results.items()
        if one.ndcg(ids) < 1
    )
