"""`python -m chatproject.embedded.daphne`: daphne, with its own command line, that may close with 1009.

Its WebSocket library lets nobody close with a code below 3000 but 1000, and raises instead; 1009 is what a client is
told whose frame is too large (PROTOCOL.md section 4).
"""

from daphne.cli import CommandLineInterface
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

TOO_BIG = 1009


class Protocol(WebSocketProtocol):
    """One connection."""

    def serverClose(self, code: int | None = None) -> None:
        if code == TOO_BIG:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code)


if __name__ == "__main__":
    WebSocketFactory.protocol = Protocol
    CommandLineInterface.entrypoint()
