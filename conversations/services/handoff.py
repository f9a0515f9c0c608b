"""Verbs on who answers: assistants, or people.

    open ── hand_off, hand_over ──▶ waiting ── claim ──▶ with_agent ── hand_off by the agent, who leaves ──▶ waiting
      ◀──────────────────────────────── release ────────────────────────────

While people answer, assistants are silent: what they had begun is stopped in the same commit, and messages ask for
none (services/messages.py). The conversation's lock decides between two who claim at once.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts import audit
from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import eventlog
from conversations.actors import SYSTEM, Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.handing import ASSISTANT, HUMAN
from conversations.models import Conversation, Event, Member, Run
from conversations.permissions import ANSWER, Permission
from conversations.privacy.drafts import Refused
from conversations.services import attaching, endings, messages, runs
from conversations.services.validation import clean_reason

WAITING, WITH_AGENT = Conversation.HUMAN


def hand_off(*, user: User, conversation: UUID, reason: Any = None, cmid: str | None = None) -> "Future[Committed]":
    """Ask for a person, who answers instead of assistants; the agent who has it asks for another one. Where one is
    asked for already, or answers, nothing is written.

    Fails with Problem `invalid`, `not_found`, `forbidden`, `conversation_closed`.
    """
    draft = asking(clean_reason(reason))

    def decide(state: State) -> Decision:
        state.require(Permission.SEND)
        messages.check_open(state)
        if state.conversation.status in Conversation.HUMAN and state.conversation.agent != user.id:
            return Decision([])
        return _handing(state, draft, after=departing(state))

    return _submit(user, conversation, draft, decide, cmid)


def claim(*, user: User, conversation: UUID, cmid: str | None = None) -> "Future[Committed]":
    """Take a conversation, to answer as an agent. Who may `answer_as_agent` becomes a member by it where one waits;
    whoever else has the role agent may take it at any time. Claiming again writes nothing. What a claim changes about a
    membership is written with it (`before`), and taken back when the agent no longer answers.

    Fails with Problem `not_found`, `forbidden`, `conversation_closed`, and `conflict` where another agent has it,
    whose name it tells.
    """
    given = {"to": str(user.id), "name": user.display_name}
    draft = Draft("conversation:handoff", given, actor=Actor.of(user).in_role(Member.Role.AGENT))
    is_staff = user.is_staff and user.has_perm(ANSWER)

    def decide(state: State) -> Decision:
        joining = _joining(state, user, is_staff=is_staff)
        messages.check_open(state)
        if state.conversation.agent == user.id:
            return Decision([])
        _check_free(state)
        if joining:
            draft.data["before"] = str(state.role) if state.role else None
        audited = partial(
            audit.record, actor=user.id, action="conversation.claimed", target=("conversation", conversation)
        )
        return _handing(state, draft, [*departing(state), *joining], audited)

    return _submit(user, conversation, draft, decide, cmid)


def release(*, user: User, conversation: UUID, cmid: str | None = None) -> "Future[Committed]":
    """Let assistants answer again: by the agent who has it, by who may change the conversation, and while it waits by
    whoever may speak. Where they answer already, nothing is written.

    Fails with Problem `not_found`, `forbidden`, `conversation_closed`.
    """
    draft = Draft("conversation:handoff", {"to": ASSISTANT})

    def decide(state: State) -> Decision:
        state.require(Permission.SEND)
        messages.check_open(state)
        if state.conversation.agent not in (None, user.id):
            state.require(Permission.CHANGE)
        return Decision([draft, *departing(state)] if state.conversation.status in Conversation.HUMAN else [])

    return _submit(user, conversation, draft, decide, cmid)


def hand_back(*, conversation: UUID, agent: UUID | None) -> "Future[Committed]":
    """Have it wait again, because `agent` cannot answer any more. Where they do not, nothing is written."""
    draft = asking()

    def decide(state: State) -> Decision:
        answers = agent is not None and state.conversation.agent == agent
        return Decision([draft, *departing(state)] if answers else [])

    return eventlog.submit(Append(conversation, SYSTEM, f"handoff:{draft.id}", decide, drafts=[draft], main=draft))


def hand_over(
    *,
    claim: runs.Claim,
    text: str,
    usage: dict[str, Any] | None = None,
    sources: list[dict[str, Any]] | None = None,
    parts: list[dict[str, Any]] | None = None,
    reason: str | None = None,
) -> "Future[Committed]":
    """End the run of `claim` as completed, and ask for a person: what an assistant does that cannot go on.
    In a conversation that takes no more messages only the run ends.

    Fails with `run_not_active` when fenced off.
    """
    given = {"text": text, "sources": sources, "parts": parts or None}
    end = endings.end_draft(claim.run, claim.message, Run.Status.COMPLETED, screened=False, **given)
    asked = _asking_anyhow(reason)

    def decide(state: State) -> Decision:
        run = state.lock_run(claim.run)
        runs.check_fence(run, claim)
        if parts:
            end.data["parts_tokens"] = attaching.tokens(parts)
        endings.settle(end, run, usage)
        spent = end.data["usage"]
        if state.conversation.status not in messages.OPEN:
            return Decision([end], endings.after_end(state, run, Run.Status.COMPLETED, spent))
        handing = _handing(state, asked, but=run.id)
        return Decision([end, *handing.drafts], [*endings.closing(run, Run.Status.COMPLETED, spent), *handing.effects])

    cmid = f"run:{claim.run}:end"
    return eventlog.submit(Append(claim.conversation, claim.actor, cmid, decide, drafts=[end, asked], main=end))


def _asking_anyhow(reason: str | None) -> Draft:
    """What assistants write cannot be refused: without its reason, where that holds what is not kept here."""
    try:
        return asking(reason and reason[: settings.REASON_MAX_LENGTH])
    except Refused:
        return asking()


def asking(reason: str | None = None) -> Draft:
    """The event by which a person is asked for. Raises Refused where the reason holds what is not kept here."""
    return Draft("conversation:handoff", {"to": HUMAN, **({"reason": reason} if reason else {})})


def bereft(state: State, user: UUID) -> Sequence[Draft]:
    """What is written where `user` stops being an agent here, inside another decision: who waits goes on waiting."""
    return [asking()] if state.conversation.agent == user else []


def departing(state: State) -> Sequence[Draft]:
    """What is written where nobody answers any more who did, inside another decision: an agent who became a member by
    claiming is none any more, and one who had another role has that again."""
    agent = state.conversation.agent
    member = state.member(agent) if agent else None
    if member is None or member.role != Member.Role.AGENT:
        return []
    claimed = Event.objects.filter(conversation=state.conversation, type="conversation:handoff").order_by("-seq")[0]
    if claimed.data["to"] != str(agent) or "before" not in claimed.data:
        return []
    before = claimed.data["before"]
    given = {"user": str(agent), "role": before or member.role}
    return [Draft("member:update" if before else "member:remove", given)]


def _handing(
    state: State,
    draft: Draft,
    before: Sequence[Draft] = (),
    *effects: Any,
    after: Sequence[Draft] = (),
    but: UUID | None = None,
) -> Decision:
    stopped = endings.stop_all(state, but)
    return Decision([*before, *stopped.drafts, draft, *after], [*stopped.effects, *effects])


def _joining(state: State, user: User, *, is_staff: bool) -> list[Draft]:
    """What makes `user` an agent, where nothing is needed an empty list. Raises Problem `not_found`, `forbidden`."""
    if state.role == Member.Role.AGENT:
        return []
    waits = state.conversation.status in Conversation.HUMAN
    if not is_staff or state.role == Member.Role.OWNER or not (state.role or waits):
        state.require(Permission.CLAIM)
    given = {"user": str(user.id), "role": Member.Role.AGENT.value}
    if state.role:
        return [Draft("member:update", given)]
    if Member.objects.filter(conversation=state.conversation).count() >= settings.MEMBERS_MAX:
        raise Problem("too_large", f"A conversation has at most {settings.MEMBERS_MAX} members.")
    return [Draft("member:add", {**given, "name": user.display_name})]


def _check_free(state: State) -> None:
    """Raise Problem `conflict`, with the agent's id and name, where somebody has it who can answer."""
    agent = state.conversation.agent
    holder = User.objects.filter(id=agent, is_active=True).first() if agent else None
    if holder:
        who = {"id": str(holder.id), "name": holder.display_name}
        raise Problem("conflict", f"{holder.display_name} has taken this conversation.", extra={"agent": who})


def _submit(user: User, conversation: UUID, draft: Draft, decide: Any, cmid: str | None) -> "Future[Committed]":
    cmid = cmid or f"handoff:{draft.id}"
    body = [draft.data["to"], draft.data.get("reason")]
    append = Append(conversation, Actor.of(user), cmid, decide, body=body, drafts=[draft], main=draft)
    return eventlog.submit(append)
