"""send."""

from concurrent.futures import Future

import msgspec

from chatproject.lib.errors import Problem
from conversations.appends import Committed
from conversations.permissions import Permission
from conversations.services import messages
from realtime.commands.registry import command, conversation_id
from realtime.protocol import Send
from realtime.session import Session


@command(Send, permission=Permission.SEND, limit="send")
def send(session: Session, frame: Send) -> None:
    """Hand the message to the log; `sent` follows its COMMIT, while further frames are handled."""
    done = messages.send(
        user=session.authenticated(),
        conversation=conversation_id(frame.conversation),
        text=frame.text,
        cmid=frame.cmid,
        action=frame.action,
        assistant=frame.assistant,
        reply_to=frame.reply_to,
        on_busy=frame.on_busy,
        seen_seq=frame.seen_seq,
        parts=msgspec.to_builtins(frame.parts),
    )
    session.landing.follow(done, lambda done: _answer(session, frame, done))


def _answer(session: Session, frame: Send, done: "Future[Committed]") -> None:
    try:
        committed = done.result()
    except Problem as problem:
        return session.fail(problem, frame.ref)
    sent = {
        "type": "sent",
        "ref": frame.ref,
        "conversation": committed.main["conversation"],
        "cmid": frame.cmid,
        "seq": committed.main["seq"],
        "id": committed.main["id"],
        "dup": committed.dup,
    }
    run = committed.main["data"].get("run")
    return session.send({**sent, "run": run} if run else sent)
