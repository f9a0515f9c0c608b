"""The actions that come with the product: what a message of each writes (conversations/actions.py has the table)."""

from dataclasses import replace

from django.conf import settings

from chatproject.lib.errors import Problem
from conversations import quotas
from conversations.actions import Action, Sending
from conversations.appends import Decision, Draft, State
from conversations.assistants.composing import members
from conversations.models import Conversation
from conversations.permissions import Permission
from conversations.services import addressing, busy, endings, teaming


def chat(state: State, sending: Sending) -> Decision:
    """Say it; whoever is addressed answers, else the assistant of the conversation, but where people answer nobody.
    Raises Problem as busy.py says."""
    if state.conversation.status in Conversation.HUMAN and not sending.assistant:
        return Decision([sending.message])
    named = [sending.assistant] if sending.assistant else addressing.named(sending.message.data["text"])
    names = named or [name for name in [state.conversation.assistant] if name]
    if not names:
        return Decision([sending.message])
    way = busy.making_way(state, sending.policy)
    seq = state.conversation.last_seq + sending.ahead + len(way.drafts) + 1
    sending.message.data |= teaming.asked(names[0], seq, sending.user.id)
    further = [_also(sending, seq + place, seq, name) for place, name in enumerate(names[1:], 1)]
    for _ in names:
        quotas.ask(sending.user.id)
    return Decision([*way.drafts, sending.message, *further], way.effects)


def _also(sending: Sending, seq: int, question: int, name: str) -> Draft:
    """An answer by one more assistant to the message whose event will be `question`; its own will be `seq`."""
    answered = {"reply_to": sending.message.data["message"], "reply_seq": question, "branch_of": None}
    return Draft("run:queue", {**teaming.asked(name, seq, sending.user.id), **answered})


def agents(state: State, sending: Sending) -> Decision:
    """Say it to a team: the one that is named, or that of the conversation, or DEFAULT_TEAM. Raises Problem `invalid`
    where there is none."""
    named = addressing.named(sending.message.data["text"])
    candidates = [sending.assistant, *named, state.conversation.assistant, settings.DEFAULT_TEAM]
    team = next((name for name in candidates if name and members.config_of(name)), None)
    if team is None:
        raise Problem("invalid", errors={"assistant": ["There is no team here; name one."]})
    return chat(state, replace(sending, assistant=team))


def stop(state: State, sending: Sending) -> Decision:
    """Stop whatever runs or waits; what was said with it is not kept. Raises Problem `run_not_active`."""
    stopped = endings.stop_all(state)
    if not stopped.drafts:
        raise Problem("run_not_active", "Nothing runs in this conversation.")
    return stopped


CHAT = Action(Permission.SEND, "Says something; an assistant answers.", chat)
AGENTS = Action(Permission.SEND, "Says something to a team, whose members answer in turns.", agents)
STOP = Action(Permission.STOP, "Stops whatever is answered or waits in the conversation.", stop, text=False)
