"""What a conversation begins with where it begins from a template."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.actors import SYSTEM
from conversations.appends import Draft
from conversations.services import messages
from conversations.services.validation import clean_assistant, clean_metadata, clean_text
from conversations.templating.filling import Filled, filled


@dataclass(frozen=True)
class Beginning:
    """`data` for `conversation:new`, and the messages that stand in front of everything else."""

    data: dict[str, Any] = field(default_factory=dict)
    drafts: Sequence[Draft] = ()

    def under(self, sent: dict[str, Any]) -> dict[str, Any]:
        """`data` of `conversation:new`: what was sent stands above what the template says."""
        if not self.data:
            return sent
        chosen = {name: sent[name] or self.data[name] for name in ("title", "assistant")}
        return {**self.data, **chosen, "metadata": clean_metadata({**self.data["metadata"], **sent["metadata"]})}


def beginning(user: User, template: Any, inputs: Any) -> Beginning:
    """From the template of this slug or id, filled in; empty without one.

    Raises Problem `invalid` (no such template is offered, errors by variable, an assistant that is gone), `too_large`.
    """
    if template is None:
        if inputs:
            raise Problem("invalid", errors={"inputs": ["Only a template has inputs."]})
        return Beginning()
    return _of(filled(_offered(user, template), {} if inputs is None else inputs))


def _offered(user: User, template: Any) -> Any:
    try:
        return selectors.template_for(user, str(template), to_begin=True)
    except Problem as problem:
        raise Problem("invalid", errors={"template": ["There is no such template."]}) from problem


def _of(template: Filled) -> Beginning:
    """System messages are the service's own; pinned ones are said by whoever begins the conversation."""
    drafts = [messages.draft(text=clean_text(text)) for text in template.system]
    for draft in drafts:
        draft.actor = SYSTEM
    for text in template.pinned:
        said = messages.draft(text=clean_text(text))
        drafts += [said, Draft("message:pin", {"message": said.data["message"], "on": True})]
    data = {
        "title": template.title,
        "assistant": clean_assistant(template.assistant),
        "metadata": template.metadata,
        "tags": template.tags,
        "template": dict(template.origin),
    }
    return Beginning(data, drafts)
