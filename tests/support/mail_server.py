"""A mail server for tests: takes everything by SMTP, keeps it, and may refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

__all__ = ["MailServer", "run_mail_server"]


@dataclass(slots=True)
class MailServer:
    """What was taken; ``says`` is the answer to a mail."""

    address: str
    port: int = 0
    says: str = "250 OK: queued"
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook."""
        assert isinstance(envelope.content, bytes)
        if self.says.startswith("2"):
            mail: Any = message_from_bytes(envelope.content, policy=default)
            self.taken += [(to, mail) for to in envelope.rcpt_tos]
        return self.says


@asynccontextmanager
async def run_mail_server(address: str) -> AsyncIterator[MailServer]:
    """A server on a free port of the address, for as long as the block lasts."""
    server, loop = MailServer(address), asyncio.get_running_loop()
    made: list[SMTP] = []

    def new() -> SMTP:
        made.append(partial(SMTP, server, hostname="sink.example", loop=loop)())
        return made[-1]

    listening = await loop.create_server(new, address, 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for protocol in made:
            if isinstance(protocol.transport, asyncio.WriteTransport):
                protocol.transport.abort()
        await listening.wait_closed()
