"""The actions that come with the product: what a message of each writes (conversations/actions.py has the table)."""

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import quotas
from conversations.actions import Action, Sending
from conversations.appends import Decision, Draft, State
from conversations.models import Conversation
from conversations.permissions import Permission
from conversations.services import addressing, busy, endings


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
    sending.message.data |= {"assistant": names[0], "run": str(new_id())}
    seq = state.conversation.last_seq + sending.ahead + len(way.drafts) + 1
    further = [_also(sending.message, seq, name) for name in names[1:]]
    for _ in names:
        quotas.ask(sending.user.id)
    return Decision([*way.drafts, sending.message, *further], way.effects)


def _also(message: Draft, seq: int, name: str) -> Draft:
    """An answer to `message`, whose event will be `seq`, by one more assistant."""
    question = {"reply_to": message.data["message"], "reply_seq": seq}
    return Draft("run:queue", {"run": str(new_id()), **question, "assistant": name, "branch_of": None})


def stop(state: State, sending: Sending) -> Decision:
    """Stop whatever runs or waits; what was said with it is not kept. Raises Problem `run_not_active`."""
    stopped = endings.stop_all(state)
    if not stopped.drafts:
        raise Problem("run_not_active", "Nothing runs in this conversation.")
    return stopped


CHAT = Action(Permission.SEND, "Says something; an assistant answers.", chat)
STOP = Action(Permission.STOP, "Stops whatever is answered or waits in the conversation.", stop, text=False)
