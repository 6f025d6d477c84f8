"""A mail server that keeps what it accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from core.support.processes import free_port


class Mailbox:
    """What was accepted, by the id of the e-mail: a second one of an id is the same e-mail."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: dict[str, EmailMessage] = {}

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (the server's own name)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.got[mail["Message-ID"]] = mail
        return "250 OK"

    def read(self) -> Counter[tuple[str, ...]]:
        """To whom, subject and text of each."""
        return Counter(
            (mail["To"], mail["Subject"], mail.get_content()) for mail in self.got.values()
        )


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server of this machine, for as long as the context lasts."""
    server = Mailbox(free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
