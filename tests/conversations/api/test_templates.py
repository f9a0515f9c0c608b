"""/api/v1/templates/: staff write, everybody reads what is offered."""

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, User
from accounts.services import tokens
from tests.api import Api
from tests.conversations.templating.support import REFUND, new_staff, new_template, slug


@pytest.fixture
def staff() -> User:
    return new_staff()


@pytest.fixture
def as_staff(staff: User) -> Api:
    return Api(tokens.issue(staff)["access"])


def names(api: Api) -> list[str]:
    return [row["slug"] for row in api.get("templates/?limit=200").json["results"]]


def test_staff_make_one_and_alice_reads_it(as_staff: Api, staff: User, as_alice: Api) -> None:
    made = as_staff.post("templates/", {**REFUND, "slug": slug()})
    assert (made.status, made.headers["ETag"], made.json["version"]) == (201, '"1"', 1)
    row = made.json
    assert {name: row[name] for name in REFUND if name != "variables"} == {
        name: value for name, value in REFUND.items() if name != "variables"
    }
    assert row["variables"][1] == {
        "name": "amount", "type": "number", "label": "", "required": True, "default": None, "choices": [],
        "max_length": None,
    }  # fmt: skip
    assert as_alice.get(f"templates/{row['slug']}/").json == as_alice.get(f"templates/{row['id']}/").json == row
    assert row["slug"] in names(as_alice)
    assert AuditEntry.objects.filter(actor=staff, action="template.created", target_id=row["id"]).exists()


def test_alice_writes_none(as_alice: Api) -> None:
    row = new_template()
    assert as_alice.post("templates/", {**REFUND, "slug": slug()}).code == "forbidden"
    assert as_alice.patch(f"templates/{row.slug}/", {"name": "Mine"}).code == "forbidden"
    assert as_alice.delete(f"templates/{row.slug}/").code == "forbidden"


def test_what_is_not_offered_is_not_known(as_alice: Api, as_staff: Api) -> None:
    for changes in ({"active": False}, {"visibility": "staff"}):
        row = new_template(**changes)
        assert as_alice.get(f"templates/{row.slug}/").code == "not_found"
        assert row.slug not in names(as_alice)
        assert row.slug in names(as_staff)


def test_change_with_a_version(as_staff: Api, staff: User) -> None:
    row = new_template()
    changed = as_staff.patch(f"templates/{row.slug}/", {"name": "Other"}, If_Match='"1"')
    assert (changed.json["name"], changed.json["version"], changed.headers["ETag"]) == ("Other", 2, '"2"')
    stale = as_staff.patch(f"templates/{row.slug}/", {"name": "Third"}, If_Match='"1"')
    assert (stale.status, stale.code, stale.json["version"]) == (412, "stale", 2)
    entry = AuditEntry.objects.get(actor=staff, action="template.changed", target_id=str(row.id))
    assert entry.detail == {"fields": ["name"]}


def test_delete(as_staff: Api) -> None:
    row = new_template()
    assert as_staff.delete(f"templates/{row.id}/").status == 204
    assert as_staff.get(f"templates/{row.id}/").code == "not_found"
    assert as_staff.delete(f"templates/{row.id}/").code == "not_found"


def test_the_same_key_makes_one(as_staff: Api) -> None:
    body = {**REFUND, "slug": slug()}
    first = as_staff.post("templates/", body, Idempotency_Key="k")
    assert as_staff.post("templates/", body, Idempotency_Key="k").json == first.json
    assert as_staff.post("templates/", {**body, "name": "x"}, Idempotency_Key="k").code == "idempotency_mismatch"


def test_a_slug_is_there_once(as_staff: Api) -> None:
    row, other = new_template(), new_template()
    taken = as_staff.post("templates/", {**REFUND, "slug": row.slug})
    assert (taken.status, taken.code, set(taken.json["errors"])) == (409, "conflict", {"slug"})
    assert as_staff.patch(f"templates/{other.slug}/", {"slug": row.slug}).code == "conflict"
    assert as_staff.get(f"templates/{other.slug}/").json["version"] == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "with space"}, "slug"),
        ({"slug": "01a1fb92-2a03-752e-843c-26acb376d6d5"}, "slug"),
        ({"slug": None}, "slug"),
        ({"name": " "}, "name"),
        ({"name": 5}, "name"),
        ({"description": "two\nlines"}, "description"),
        ({"title": "x" * 201}, "title"),
        ({"title": "{{ nobody }}"}, "title"),
        ({"assistant": "nobody"}, "assistant"),
        ({"system": "text"}, "system"),
        ({"system": [""]}, "system"),
        ({"system": ["{% now %}"]}, "system"),
        ({"system": ["x"] * 21}, "system"),
        ({"pinned": ["{{ customer.name }}"]}, "pinned"),
        ({"pinned": [5]}, "pinned"),
        ({"metadata": {"a": {"b": ["{{ nobody }}"]}}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"tags": [5]}, "tags"),
        ({"variables": {}}, "variables"),
        ({"variables": [{"name": "customer"}]}, "system"),
        ({"variables": [{"name": "A"}]}, "variables"),
        ({"active": "perhaps"}, "active"),
        ({"visibility": "nobody"}, "visibility"),
    ],
)
def test_what_cannot_be(as_staff: Api, changes: dict[str, Any], field: str) -> None:
    row = new_template()
    for answer in (
        as_staff.post("templates/", {**REFUND, "slug": slug(), **changes}),
        as_staff.patch(f"templates/{row.slug}/", changes),
    ):
        assert (answer.status, answer.code, set(answer.json["errors"])) == (400, "invalid", {field}), answer.json
    assert as_staff.get(f"templates/{row.slug}/").json["version"] == 1


def test_what_must_not_be_kept(as_staff: Api, settings: Settings) -> None:
    body = {**REFUND, "system": ["Pay with 4111 1111 1111 1111"], "metadata": {"ssn": "123-45-6789"}}
    made = as_staff.post("templates/", {**body, "slug": slug()}).json
    assert (made["system"], made["metadata"]) == (["Pay with [REDACTED]"], {"ssn": "[REDACTED]"})
    settings.PRIVACY_POLICY = "refuse"
    refused = as_staff.post("templates/", {**body, "slug": slug()})
    assert (refused.code, set(refused.json["errors"])) == ("invalid", {"system", "metadata"})


def test_a_text_that_is_too_long(as_staff: Api) -> None:
    assert as_staff.post("templates/", {**REFUND, "slug": slug(), "system": ["x" * 40_000]}).code == "too_large"
