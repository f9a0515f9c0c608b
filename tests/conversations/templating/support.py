"""What tests of templates share."""

from typing import Any

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.models import Template
from conversations.services import templates
from tests.conftest import new_user

REFUND: dict[str, Any] = {
    "name": "Refund",
    "description": "Gets a customer's money back",
    "title": "Refund for {{ customer }}",
    "assistant": "guide",
    "system": ["You help with refunds.", "Be brief.{{ tone }}"],
    "pinned": ["Customer: {{ customer }}, amount: {{ amount }}"],
    "metadata": {"kind": "refund", "case": {"customer": "{{ customer }}", "steps": [1, "{{ amount }}"]}},
    "tags": ["refund"],
    "variables": [
        {"name": "customer", "label": "Customer's name"},
        {"name": "amount", "type": "number"},
        {"name": "tone", "required": False},
    ],
}


def new_staff(name: str = "Sam") -> User:
    user = new_user(name)
    User.objects.filter(id=user.id).update(is_staff=True)
    return User.objects.get(id=user.id)


def slug() -> str:
    return f"t-{new_id().hex[-12:]}"


def new_template(**changes: Any) -> Template:
    """The refund, or what is changed of it."""
    return templates.create(staff=new_staff(), given={**REFUND, "slug": slug(), **changes})
