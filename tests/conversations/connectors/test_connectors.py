"""Connectors through the API: made, changed, tested and deleted without a restart; their secrets are never shown."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import override_settings

from accounts.models import AuditEntry, User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.connectors import directory
from conversations.models import Connector
from conversations.services import connectors
from tests.api import Api
from tests.conversations.assistants.support import answered, conversation_with, ending
from tests.conversations.connectors.conftest import Connect
from tests.conversations.support import frames
from tests.provider import Provider

KEY = "sk-a-very-secret-key"


def model(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"base_url": provider.url, "model": "scripted", **more}


@pytest.fixture
def provider() -> Any:
    with Provider() as found:
        yield found


def given(name: str, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "openai", "config": config, "secrets": {"api_key": KEY}, **more}


def test_a_connector_through_the_api(as_builder: Api, provider: Provider) -> None:
    name = f"model-{new_id().hex[-10:]}"
    made = as_builder.post("connectors/", given(name, model(provider), description="Ours"))
    assert (made.status, made.json["name"], made.json["version"]) == (201, name, 1)
    assert made.json["secrets"] == {"api_key": True}
    path = f"connectors/{made.json['id']}/"
    assert as_builder.get(path).headers["ETag"] == '"1"'
    stale = as_builder.patch(path, {"enabled": False}, **{"If-Match": '"9"'})
    assert (stale.status, stale.json["version"]) == (412, 1)
    changed = as_builder.patch(path, {"secrets": {"api_key": None}}, **{"If-Match": '"1"'})
    assert (changed.json["version"], changed.json["secrets"]) == (2, {"api_key": False})
    assert name in {one["name"] for one in as_builder.get("assistants/").json["results"]}
    assert as_builder.request("DELETE", path, None, {}).status == 204
    assert name not in {one["name"] for one in as_builder.get("assistants/").json["results"]}
    acts = AuditEntry.objects.filter(target_id=made.json["id"]).order_by("id").values_list("action", flat=True)
    assert list(acts) == ["connector.created", "connector.changed", "connector.deleted"]


def test_secrets_are_sealed_and_never_shown(as_builder: Api, provider: Provider) -> None:
    made = as_builder.post("connectors/", given(f"model-{new_id().hex[-10:]}", model(provider)))
    path = f"connectors/{made.json['id']}/"
    shown = [made, as_builder.get(path), as_builder.get("connectors/"), as_builder.post(f"{path}test/")]
    assert KEY not in "".join(str(answer.json) for answer in shown)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM conversations_connector c WHERE id = %s", [made.json["id"]])
        assert KEY not in cursor.fetchone()[0]
    row = Connector.objects.get(id=made.json["id"])
    assert directory.setup(row).secret("api_key") == KEY
    assert KEY not in repr(directory.setup(row))
    entries = AuditEntry.objects.filter(target_id=made.json["id"]).values_list("detail", flat=True)
    assert KEY not in str(list(entries))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Capital Letters"}, "name"),
        ({"name": "guide"}, "name"),
        ({"kind": "telepathy"}, "kind"),
        ({"config": {"model": "m"}}, "config"),
        ({"config": {"base_url": "https://models.example/v1", "model": "m", "colour": 1}}, "config"),
        ({"config": {"base_url": "http://169.254.169.254/latest", "model": "m"}}, "config"),
        ({"config": {"base_url": "https://models.example/", "model": "m", "tools": ["nothing"]}}, "config"),
        ({"config": {"base_url": "https://models.example/", "model": "m", "limits": {"concurrency": 0}}}, "config"),
        ({"config": {"base_url": "https://models.example/", "model": "m", "limits": {"sleep": 1}}}, "config"),
        ({"secrets": {"password": "x"}}, "secrets"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(as_builder: Api, changes: dict[str, Any], field: str) -> None:
    wrong = {**given(f"m-{new_id().hex[-10:]}", {"base_url": "https://models.example/", "model": "m"}), **changes}
    answer = as_builder.post("connectors/", wrong)
    assert (answer.status, answer.code, list(answer.json["errors"])) == (400, "invalid", [field])


def test_a_name_is_taken_once_and_a_request_that_comes_twice_is_done_once(as_builder: Api, provider: Provider) -> None:
    body = given(f"model-{new_id().hex[-10:]}", model(provider))
    first = as_builder.post("connectors/", body, **{"Idempotency-Key": "once"})
    assert as_builder.post("connectors/", body, **{"Idempotency-Key": "once"}).json["id"] == first.json["id"]
    assert as_builder.post("connectors/", body).code == "conflict"


def test_only_staff_with_the_permission(as_alice: Api, as_builder: Api, connect: Connect, provider: Provider) -> None:
    path = f"connectors/{connect('openai', model(provider)).id}/"
    for method, place in (("GET", "connectors/"), ("POST", "connectors/"), ("GET", path), ("PATCH", path),
                          ("DELETE", path), ("POST", f"{path}test/")):  # fmt: skip
        assert as_alice.request(method, place, {}, {}).code == "forbidden"
    assert as_builder.get(f"connectors/{new_id()}/").code == "not_found"


def test_a_test_says_whether_it_works(as_builder: Api, connect: Connect, provider: Provider) -> None:
    gone = connect("openai", {"base_url": "http://127.0.0.1:9/v1", "model": "m"})
    failing = as_builder.post(f"connectors/{gone.id}/test/").json
    assert (failing["health"], failing["health_detail"].split(":")[0]) == ("failing", "provider_unreachable")
    assert failing["checked_at"]
    working = as_builder.post(f"connectors/{connect('openai', model(provider)).id}/test/").json
    assert working["health"] == "ok"


def test_no_request_goes_into_our_own_network_unless_the_operator_says_so(connect: Connect, builder: User) -> None:
    with Provider() as inside:
        row = connect("openai", model(inside))
        with override_settings(OUTGOING_ALLOWED_HOSTS=[]):
            assert connectors.check(staff=builder, connector=row).health == "failing"
        assert inside.requests == []


async def test_it_answers_and_a_change_counts_from_the_next_question_on(
    alice: User, builder: User, connect: Connect, provider: Provider
) -> None:
    row = await in_thread(connect, "openai", model(provider, system="Be brief."), secrets={"api_key": KEY})
    conversation = await in_thread(conversation_with, alice, row.name)
    run = await answered(alice, "say hello", conversation)
    assert ((await ending(run))["text"], run.version) == ("hello ", "1")
    assert provider.last.body["messages"][0]["content"] == "Be brief."
    with Provider() as other:
        changes = {"config": model(other, system="Be long.")}
        await in_thread(lambda: connectors.change(staff=builder, connector=row, changes=changes))
        run = await answered(alice, "say again", conversation)
        assert ((await ending(run))["text"], run.version) == ("again ", "2")
        assert other.last.body["messages"][0]["content"] == "Be long."
    assert len(provider.requests) == 1


async def test_one_that_is_disabled_or_deleted_is_not_asked(
    alice: User, as_alice: Api, builder: User, connect: Connect, provider: Provider
) -> None:
    row = await in_thread(connect, "openai", model(provider))
    conversation: UUID = await in_thread(conversation_with, alice, row.name)
    await in_thread(lambda: connectors.change(staff=builder, connector=row, changes={"enabled": False}))
    end = await ending(await answered(alice, "say hello", conversation))
    assert end["error"]["code"] == "assistant_unknown"
    made = await in_thread(as_alice.post, "conversations/", {"assistant": row.name})
    assert (made.code, list(made.json["errors"])) == ("invalid", ["assistant"])
    await in_thread(lambda: connectors.delete(staff=builder, connector=row))
    assert (await ending(await answered(alice, "say hello", conversation)))["error"]["code"] == "assistant_unknown"
    assert provider.requests == []


async def test_what_asks_others_is_connected_too(
    alice: User, as_builder: Api, connect: Connect, provider: Provider
) -> None:
    """Kinds of docs/routing.md."""
    rows = [await in_thread(connect, "openai", model(provider)) for _ in range(2)]
    row = await in_thread(connect, "fanout", {"members": [one.name for one in rows], "merge": "first"})
    end = await ending(await answered(alice, "say both", await in_thread(conversation_with, alice, row.name)))
    assert end["text"] == "both "
    body = {"name": "nowhere", "kind": "fanout", "config": {"members": ["nobody", rows[0].name]}}
    refused = await in_thread(as_builder.post, "connectors/", body)
    assert (refused.code, list(refused.json["errors"])) == ("invalid", ["config"])


CIRCLES = {
    "router": lambda name: {"default": name},
    "fanout": lambda name: {"members": ["guide", name]},
    "team": lambda name: {"members": ["guide", name]},
}


@pytest.mark.parametrize("kind", CIRCLES)
def test_what_would_ask_itself_in_a_circle_is_not_saved(as_builder: Api, connect: Connect, kind: str) -> None:
    """However it would come about: by name, by configuration, or by enabling the one that was missing."""
    first = connect("router", {"default": "guide"})
    second = connect("router", {"rules": [{"to": first.name, "keywords": ["x"]}], "default": "guide"})
    closing = {"kind": kind, "config": CIRCLES[kind](second.name)}
    third = connect(**closing)
    for path, changes in (
        (f"connectors/{first.id}/", closing),
        (f"connectors/{first.id}/", {"config": {"default": third.name}}),
        (f"connectors/{second.id}/", {"config": {"default": second.name}}),
    ):
        refused = as_builder.patch(path, changes)
        assert (refused.status, refused.code, list(refused.json["errors"])) == (400, "invalid", ["config"])
        assert "ask each other" in refused.json["errors"]["config"][0]
    assert as_builder.patch(f"connectors/{second.id}/", {"enabled": False}).status == 200
    assert as_builder.patch(f"connectors/{first.id}/", {"config": {"default": third.name}}).status == 200
    assert as_builder.patch(f"connectors/{second.id}/", {"enabled": True}).code == "invalid"


async def test_limits_of_its_own(alice: User, connect: Connect, provider: Provider) -> None:
    limits = {"first_token_seconds": 0.3, "stall_seconds": 5}
    row = await in_thread(connect, "openai", model(provider, limits=limits))
    end = await ending(await answered(alice, "hang", await in_thread(conversation_with, alice, row.name)))
    assert end["error"]["code"] == "assistant_timeout"


async def test_what_it_costs(alice: User, connect: Connect, provider: Provider) -> None:
    row = await in_thread(connect, "openai", model(provider, prices={"input": 1, "output": 2}))
    end = await ending(await answered(alice, "say hello", await in_thread(conversation_with, alice, row.name)))
    assert (end["usage"]["cost"], end["usage"]["currency"]) == ("0.000025", "USD")


async def test_the_log_never_holds_a_secret(alice: User, connect: Connect, provider: Provider) -> None:
    row = await in_thread(connect, "openai", model(provider), secrets={"api_key": KEY})
    run = await answered(alice, "status 401", await in_thread(conversation_with, alice, row.name))
    assert KEY not in str(await in_thread(frames, run.conversation_id))
