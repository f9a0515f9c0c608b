"""Semantic and hybrid search, with a real endpoint over HTTP."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client

from accounts.models import User
from chatproject import checks
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations.models import Conversation, Embedding, EmbeddingIndex, SearchEntry
from conversations.search import embedders, embedding, finding, query, vectors
from conversations.services import conversations, erasing, messages, revisions
from tests.api import Api
from tests.conftest import new_user
from tests.embeddings import Embeddings


@pytest.fixture
def endpoint(settings: LazySettings) -> Iterator[Embeddings]:
    """Set up, with nothing made yet; conversations of other tests are none of its business."""
    with Embeddings() as endpoint:
        settings.EMBEDDER = "conversations.search.embedders.OpenAIEmbedder"
        settings.EMBEDDING_MODEL = "meaning-64"
        settings.EMBEDDING_BASE_URL, settings.EMBEDDING_API_KEY = endpoint.url, "scripted"
        embedders.get.cache_clear()
        Conversation.objects.update(updated_at=None)
        yield endpoint
        # Nor is it of theirs: lists would begin with those without a time.
        Conversation.objects.filter(updated_at=None).update(updated_at=F("created_at"))
        for index in EmbeddingIndex.objects.all():
            vectors.drop(index)
        embedders.get.cache_clear()


def say(user: User, conversation: UUID, text: str) -> UUID:
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id())).result()
    return UUID(sent.main["data"]["message"])


def found(user: User, q: str, mode: str = "semantic") -> list[UUID]:
    return [hit.row.id for hit in finding.search(user, query.parse(q), mode=mode)]


@pytest.fixture
def admin_client() -> Client:
    admin = new_user("Admin")
    admin.is_staff = admin.is_superuser = True
    admin.save(update_fields=["is_staff", "is_superuser"])
    client = Client()
    client.force_login(admin)
    return client


def index(model: str = "meaning-64") -> EmbeddingIndex:
    return EmbeddingIndex.objects.get(model=model)


def test_what_means_the_same_is_found(
    endpoint: Embeddings, as_alice: Api, alice: User, mallory: User, conversation: UUID
) -> None:
    say(alice, conversation, "Lunch at noon")
    vehicle = say(alice, conversation, "My automobile")
    embedding.work()
    assert found(alice, "car")[0] == vehicle
    assert found(alice, "汽车")[0] == vehicle
    assert found(alice, "car -automobile")[:1] != [vehicle]
    assert found(mallory, "car") == []
    hits = as_alice.get("search/?q=car&mode=semantic").json["results"]
    assert hits[0]["message"] == str(vehicle)
    assert 0 < hits[0]["score"] <= 1
    assert hits[0]["snippet"] == "My automobile"


def test_hybrid_finds_by_words_and_by_meaning(endpoint: Embeddings, alice: User, conversation: UUID) -> None:
    by_meaning = say(alice, conversation, "An automobile")
    by_words = say(alice, conversation, "Carpets: ask for Mr. Car, the owner of this shop and many others in town")
    for number in range(10):
        say(alice, conversation, f"Something else altogether {number}")
    embedding.work()
    assert set(found(alice, "car", "hybrid")[:2]) == {by_meaning, by_words}
    assert found(alice, "car", "text") == [by_words]


def test_progress_and_what_is_new(endpoint: Embeddings, alice: User, conversation: UUID) -> None:
    for number in range(3):
        say(alice, conversation, f"Text {number}")
    embedding.work()
    made = index()
    assert (made.status, made.done, made.dimensions, made.error) == ("active", 3, 64, "")
    say(alice, conversation, "One more")
    embedding.work()
    assert index().done == 4
    assert [text for asked in endpoint.asked for text in asked] == ["Text 0", "Text 1", "Text 2", "One more"]


def test_edited_and_deleted_texts_lose_their_vectors(endpoint: Embeddings, alice: User, conversation: UUID) -> None:
    edited, deleted = say(alice, conversation, "A refund"), say(alice, conversation, "A car")
    embedding.work()
    revisions.edit(user=alice, conversation=conversation, message=edited, text="Nothing").result()
    revisions.delete(user=alice, conversation=conversation, message=deleted).result()
    assert found(alice, "car") == []
    embedding.work()
    assert Embedding.objects.filter(conversation=conversation).count() == index().done == 1


def test_another_model_is_built_beside_the_one_in_use(
    endpoint: Embeddings, alice: User, conversation: UUID, settings: LazySettings
) -> None:
    vehicle = say(alice, conversation, "My automobile")
    embedding.work()
    settings.EMBEDDING_MODEL = "other-48"
    endpoint.status = 500
    embedding.work()
    assert (index("other-48").status, index("meaning-64").status) == ("building", "active")
    assert "status 500" in index("other-48").error
    endpoint.status = 200
    assert found(alice, "car") == [vehicle]
    embedding.work()
    assert index("other-48").status == "active"
    assert not EmbeddingIndex.objects.filter(model="meaning-64").exists()
    assert found(alice, "car") == [vehicle]


def test_a_failing_endpoint_blocks_nobody(endpoint: Embeddings, alice: User, conversation: UUID) -> None:
    message = say(alice, conversation, "My car")
    embedding.work()
    endpoint.status = 503
    say(alice, conversation, "Said all the same")
    embedding.work()
    assert found(alice, "car", "hybrid") == found(alice, "car", "text") == [message]
    with pytest.raises(Problem) as refused:
        found(alice, "car")
    assert refused.value.code.name == "unavailable"
    endpoint.status = 200
    embedding.work()
    assert (index().done, index().error) == (2, "")


def test_until_the_first_index_is_there(endpoint: Embeddings, as_alice: Api) -> None:
    assert as_alice.get("search/?q=car&mode=semantic").code == "unavailable"
    assert as_alice.get("search/?q=car&mode=hybrid").status == 200


def test_without_an_embedder_nothing_is_done(alice: User, as_alice: Api) -> None:
    embedding.work()
    assert not EmbeddingIndex.objects.exists()
    answer = as_alice.get("search/?q=car&mode=hybrid")
    assert answer.code == "invalid"
    assert "EMBEDDER" in answer.json["errors"]["mode"][0]


def test_how_far_it_is_in_the_admin_and_on_the_terminal(
    endpoint: Embeddings, alice: User, conversation: UUID, admin_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    say(alice, conversation, "My car")
    endpoint.status = 500
    embedding.work()
    page = admin_client.get("/admin/conversations/embeddingindex/").content.decode()
    assert "The embeddings endpoint answered with status 500." in page
    endpoint.status = 200
    call_command("reindex_search")
    assert "meaning-64: being built, 0 of" in capsys.readouterr().out
    embedding.work()
    made = index()
    assert f"1 / {max(made.total, 1)} " in admin_client.get("/admin/conversations/embeddingindex/").content.decode()


def test_nothing_is_kept_of_what_was_erased(endpoint: Embeddings, alice: User, conversation: UUID) -> None:
    say(alice, conversation, "My car")
    embedding.work()
    erasing.erase(user=alice, conversation=conversation)
    assert not Embedding.objects.filter(conversation=conversation).exists()
    assert not SearchEntry.objects.filter(conversation=conversation).exists()
    assert found(alice, "car") == found(alice, "car", "text") == []
    embedding.begin_again()
    embedding.work()
    assert not Embedding.objects.filter(conversation=conversation).exists()


def test_large_ones_are_found_by_hnsw(
    endpoint: Embeddings, alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = say(alice, conversation, "My automobile")
    elsewhere = conversations.create(user=alice).result().conversation.id
    for number in range(300):
        messages.send(user=alice, conversation=elsewhere, text=f"Filling {number}", cmid=str(number))
    say(alice, elsewhere, "The last one")
    embedding.work()
    monkeypatch.setattr(vectors, "COMPARED", 10)
    assert found(alice, "car")[0] == vehicle
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [f"embedding_hnsw_{index().id}"])
        [(definition,)] = cursor.fetchall()
    assert "USING hnsw" in definition
    assert "vector_cosine_ops" in definition


def test_an_embedder_that_is_none_stops_the_start(settings: LazySettings) -> None:
    assert checks.embedder_exists() == []
    settings.EMBEDDER = "conversations.search.local.LocalEmbedder"
    [found_wrong] = checks.embedder_exists()
    assert found_wrong.id == "chatproject.E040"
    assert "sentence_transformers" in found_wrong.msg


@pytest.mark.parametrize(("dimensions", "type_"), [(1, "vector(1)"), (2000, "vector(2000)"), (3072, "halfvec(3072)")])
def test_how_vectors_are_compared(dimensions: int, type_: str) -> None:
    assert vectors.kind(dimensions) == type_


def test_vectors_that_are_too_long() -> None:
    with pytest.raises(ValueError, match="4000"):
        vectors.kind(4001)
