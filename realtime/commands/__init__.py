"""What a client may ask for over a socket, one function per frame, with its permission on the line above."""

from realtime.commands import answers, connection, conversation, messages
from realtime.commands.registry import COMMANDS, Command

__all__ = ["COMMANDS", "Command", "answers", "connection", "conversation", "messages"]
