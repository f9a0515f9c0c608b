"""Verbs on messages."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id, parse_id
from chatproject.lib.limits import take
from conversations import actions, eventlog, messagetypes
from conversations.actions import Action, Sending
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Conversation, Event, Message
from conversations.services import acts, attaching, busy
from conversations.services.validation import as_cmid, clean_assistant, clean_cmid, clean_text

SEND_ROUTE = "POST messages"
# What else is to be written together with an event, by its data.
Noted = Callable[[dict[str, Any]], object]
OPEN = (Conversation.Status.OPEN, *Conversation.HUMAN)


def send(
    *,
    user: User,
    conversation: UUID,
    text: Any,
    cmid: Any,
    action: str | None = None,
    assistant: str | None = None,
    reply_to: Any = None,
    on_busy: str | None = None,
    seen_seq: int | None = None,
    parts: Any = None,
    idempotency_key: str | None = None,
    noted: Noted | None = None,
    answered: bool = False,
) -> "Future[Committed]":
    """Do what `action` says (conversations/actions.py): as a rule, write `message:new`, and queue an assistant's
    answer in the same transaction.

    `parts` are files that the user uploaded into this conversation, and what messagetypes.py knows; with one, the text
    may be empty.
    `idempotency_key` may come with a cmid or alone: then `as_cmid` of it is the cmid. `noted` is called in that
    transaction with the data of the event. `answered`: nothing is said where no assistant would answer (`conflict`).
    Fails with Problem `invalid`, `too_large`, `not_found`, `forbidden`, `conversation_closed`, `conflict`,
    `idempotency_mismatch`, what the action refuses with, and with `on_busy="reject"` `conversation_busy` while an
    answer is queued or running (services/busy.py has the other policies).
    """
    name, act = actions.get(action)
    body: list[Any] = [text, name, assistant, str(reply_to) if reply_to else None]
    files, custom = messagetypes.divided(parts)
    named, carried = clean_assistant(assistant), attaching.clean_parts(files)
    said = clean_text(text, required=act.text and not carried and not custom)
    whole = clean_text(messagetypes.in_words(said, custom), required=False) if custom else said
    new = draft(text=whole, action=name, seen_seq=seen_seq, custom=custom)
    if custom:
        body.append(custom)
    if carried:
        body.append(carried)
        new.data["parts"] = carried
    new.data["reply_to"] = _reply_to(reply_to)
    policy = busy.clean(on_busy)
    if on_busy:
        new.data["on_busy"] = policy
    once = Once(user, f"{SEND_ROUTE} {conversation}", idempotency_key, [cmid, body]) if idempotency_key else None
    key_cmid = as_cmid(SEND_ROUTE, idempotency_key)

    def decide(state: State) -> Decision:
        state.require(act.permission)
        take("conversation", conversation)
        check_open(state)
        _check_reply(state, new.data["reply_to"])
        attaching.check(state, carried)
        if carried:
            new.data["parts_tokens"] = attaching.tokens(carried)
        effects: list[Callable[[], object]] = [*_remembering(state, once, alone=cmid == key_cmid)]
        effects += [partial(noted, new.data)] if noted else []
        made = acting(state, act, Sending(user, new, named, policy))
        if answered and "run" not in new.data:
            raise busy.SILENT
        return Decision(made.drafts, [*effects, *made.effects])

    append = Append(conversation, Actor.of(user), clean_cmid(cmid), decide, body=body, drafts=[new], main=new)
    return eventlog.submit(append)


def draft(
    *, text: str, action: str = actions.DEFAULT, seen_seq: int | None = None, custom: list[dict[str, Any]] | None = None
) -> Draft:
    """A `message:new` that asks for no answer (yet)."""
    data: dict[str, Any] = {"message": str(new_id()), "text": text, "action": action}
    if custom:
        data["custom"] = custom
    if seen_seq is not None:
        data["seen_seq"] = seen_seq
    return Draft("message:new", data)


def acting(state: State, action: Action, sending: Sending) -> Decision:
    """What a message comes to under an action, as part of another decision. Raises Problem."""
    if action.decide:
        return actions.decided(action, state, sending)
    return acts.chat(state, replace(sending, assistant=sending.message.data["action"]))


def check_open(state: State) -> None:
    """Raise Problem `conversation_closed` where nothing may be said any more."""
    if state.conversation.status not in OPEN:
        raise Problem("conversation_closed")


def _remembering(state: State, once: Once | None, *, alone: bool) -> list[Callable[[], None]]:
    """The effect that keeps an Idempotency-Key; `alone` it is in the log, as the cmid.

    Raises Problem `idempotency_mismatch` where it came before, with or without a cmid.
    """
    if once is None:
        return []
    state.settle()
    in_log = Event.objects.filter(
        conversation=state.conversation, actor_id=state.actor.id, cmid=as_cmid(SEND_ROUTE, once.key)
    )
    if once.claim() or in_log.exists():
        raise Problem("idempotency_mismatch")
    return [] if alone else [partial(once.remember, state.conversation.id)]


def _reply_to(value: Any) -> str | None:
    if value is None:
        return None
    message = parse_id(value)
    if message is None:
        raise Problem("invalid", errors={"reply_to": ["This is not the id of a message."]})
    return str(message)


def _check_reply(state: State, reply_to: str | None) -> None:
    if reply_to is None:
        return
    state.settle()
    if not Message.objects.filter(conversation=state.conversation, id=reply_to).exists():
        raise Problem("invalid", errors={"reply_to": ["There is no such message in this conversation."]})
