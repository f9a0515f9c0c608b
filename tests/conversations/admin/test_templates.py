"""Templates at staff's desk: made, changed, looked at, deleted; what the API refuses is refused here."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from conversations.models import Template
from tests.conversations.admin.conftest import browser, new_staff
from tests.conversations.templating.support import REFUND, new_template, slug

LIST = "/admin/conversations/template/"
TABLE = {"variables-TOTAL_FORMS": "2", "variables-INITIAL_FORMS": "0"}


@pytest.fixture
def writer() -> Client:
    """May write templates, and nothing else."""
    return browser(new_staff("Writer", "add_template", "change_template", "delete_template", "view_template"))


def form(**changes: str) -> dict[str, str]:
    return {
        "name": "Refund",
        "slug": slug(),
        "description": "Money back",
        "title": "Refund for {{ customer }}",
        "assistant": "guide",
        "system": "Help.\r\n---\r\nBe brief.\r\n",
        "pinned": "Customer: {{ customer }}",
        "tags": "refund, money",
        "metadata": '{"kind": "refund"}',
        "active": "on",
        "visibility": "everybody",
        **TABLE,
        "variables-0-name": "customer",
        "variables-0-type": "text",
        "variables-0-label": "Customer's name",
        "variables-0-required": "on",
        "variables-1-name": "plan",
        "variables-1-type": "choice",
        "variables-1-choices": "free, paid",
        "variables-1-default": "free",
        **changes,
    }


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_made_and_audited(writer: Client) -> None:
    given = form()
    answer = writer.post(f"{LIST}add/", given)
    assert answer.status_code == 302, re.findall(r"errorlist.*?</ul>", page_of(answer))
    row = Template.objects.get(slug=given["slug"])
    assert (row.system, row.pinned, row.tags) == (
        ["Help.", "Be brief."],
        ["Customer: {{ customer }}"],
        ["refund", "money"],
    )
    assert [(one["name"], one["required"], one["choices"]) for one in row.variables] == [
        ("customer", True, []), ("plan", False, ["free", "paid"]),
    ]  # fmt: skip
    assert AuditEntry.objects.filter(action="template.created", target_id=str(row.id)).exists()


def test_changed_with_its_rows(writer: Client) -> None:
    row = new_template(
        variables=[{"name": "customer"}, {"name": "amount", "type": "number"}, {"name": "tone", "required": False}]
    )
    page = page_of(writer.get(f"{LIST}{row.id}/change/"))
    assert 'value="customer"' in page
    assert "You help with refunds.\n---\nBe brief.{{ tone }}" in page
    kept = {
        "variables-TOTAL_FORMS": "3", "variables-INITIAL_FORMS": "3",
        "variables-0-name": "customer", "variables-0-type": "text", "variables-0-required": "on",
        "variables-1-name": "amount", "variables-1-type": "number", "variables-1-DELETE": "on",
        "variables-2-name": "tone", "variables-2-type": "text",
    }  # fmt: skip
    changed = writer.post(f"{LIST}{row.id}/change/", {**form(slug=row.slug, title="Hi {{ tone }}"), **kept})
    assert changed.status_code == 302, page_of(changed)
    row.refresh_from_db()
    assert (row.version, row.title, [one["name"] for one in row.variables]) == (
        2,
        "Hi {{ tone }}",
        ["customer", "tone"],
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": "{{ nobody }}"}, "There is no variable &#x27;nobody&#x27;."),
        ({"system": "{% now %}"}, "Only {{ name }} can be used"),
        ({"slug": "with space"}, "valid"),
        ({"metadata": "{"}, "valid JSON"),
        ({"metadata": "[1]"}, "JSON object"),
        ({"variables-0-name": "Customer"}, "name"),
        ({"variables-1-default": "gold"}, "default"),
        ({"variables-1-choices": ""}, "choices"),
    ],
)
def test_refused_at_its_field(writer: Client, changes: dict[str, str], sentence: str) -> None:
    given = form(**changes)
    answer = writer.post(f"{LIST}add/", given)
    assert answer.status_code == 200
    assert sentence in page_of(answer)
    assert not Template.objects.filter(slug=given["slug"]).exists()


def test_a_taken_slug(writer: Client) -> None:
    answer = writer.post(f"{LIST}add/", form(slug=new_template().slug))
    assert answer.status_code == 200
    assert "already exists" in page_of(answer)


def test_preview(writer: Client) -> None:
    row = new_template()
    path = f"{LIST}{row.id}/preview/"
    assert f'href="{path}"' in page_of(writer.get(f"{LIST}{row.id}/change/"))
    empty = page_of(writer.get(path))
    assert "Refund for ⟨Customer&#x27;s name⟩" in empty
    filled = page_of(writer.get(path, {"customer": "{{ amount }}<b>", "amount": "5", "tone": ""}))
    assert "Customer: {{ amount }}&lt;b&gt;, amount: 5" in filled


def test_deleted(writer: Client) -> None:
    row, other = new_template(), new_template()
    assert writer.post(f"{LIST}{row.id}/delete/", {"post": "yes"}).status_code == 302
    selected = {"action": "delete_selected", "_selected_action": str(other.id), "post": "yes"}
    assert writer.post(LIST, selected).status_code == 302
    assert not Template.objects.filter(id__in=[row.id, other.id]).exists()
    assert AuditEntry.objects.filter(action="template.deleted", target_id=str(other.id)).exists()


def test_the_list_and_who_may_see_it(writer: Client, clerk: Client) -> None:
    row = new_template(name=f"Refund {slug()}")
    page = page_of(writer.get(LIST, {"q": row.slug}))
    assert row.name in page
    assert "customer, amount, tone" in page
    assert clerk.get(LIST).status_code == 403
    assert clerk.get(f"{LIST}{row.id}/preview/").status_code == 403
    assert REFUND["description"] == row.description
