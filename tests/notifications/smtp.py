"""A mail server in the test's own process: it keeps what it takes, and refuses on request."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast


@dataclass
class Mailbox:
    """What the server took, its port, and how it answers.

    `refusals` maps an address to the line that refuses it. `before_taking` is called with a mail
    that has arrived whole and is not confirmed yet.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    before_taking: Callable[[EmailMessage], Any] = lambda _mail: None

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


class Session(socketserver.StreamRequestHandler):
    """One conversation: the few commands that `smtplib` says."""

    def handle(self) -> None:
        self.say("220 tests")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "DATA":
                self.take()
            elif verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                self.say(self.mailbox.refusals.get(address, "250 ok"))
            else:
                self.say("221 bye" if verb == "QUIT" else "250 ok")

    def take(self) -> None:
        self.say("354 go on")
        lines = iter(self.rfile.readline, b".\r\n")
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        self.mailbox.before_taking(mail)
        self.mailbox.mails.append(mail)
        self.say("250 taken")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    @property
    def mailbox(self) -> Mailbox:
        return cast("Server", self.server).mailbox


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(("127.0.0.1", mailbox.port), Session)
        self.mailbox = mailbox
        mailbox.port = self.server_address[1]

    def handle_error(self, *_: object) -> None:
        """A client that was killed in the middle is what some tests are about."""


@contextmanager
def mail_server(mailbox: Mailbox | None = None) -> Iterator[Mailbox]:
    """The port is closed after the block; a server with the same mailbox opens it again."""
    with Server(mailbox or Mailbox()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.mailbox
        server.shutdown()
