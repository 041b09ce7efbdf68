"""The mail sink: takes every message by SMTP, delivers none, shows them in a browser and as JSON.

Run as ``python -m local.mail --smtp-port P --http-port P --dir FOLDER``; it listens on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from functools import partial
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.mail_viewer import viewer
from local.mailbox import MAX_MESSAGE_BYTES, Mailbox

__all__ = ["MailSink", "main"]

_HOST = "127.0.0.1"
_MAX_RECIPIENTS = 100  # RFC 5321, 4.5.3.1.8: the least that a server must take


class MailSink:
    """aiosmtpd's handler hooks; answers are SMTP replies (RFC 5321, 4.2)."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= _MAX_RECIPIENTS:
            return "452 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        mail = self._mailbox.add(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
        return f"250 OK: message {mail.id}"


async def serve(mailbox: Mailbox, *, smtp_port: int, http_port: int) -> None:
    """Serve both ports until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        partial(
            SMTP,
            MailSink(mailbox),
            hostname="mail.trunkline.invalid",
            ident="Trunkline mail sink",
            data_size_limit=MAX_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        ),
        host=_HOST,
        port=smtp_port,
    )
    http = uvicorn.Server(
        uvicorn.Config(
            viewer(mailbox),
            host=_HOST,
            port=http_port,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    async with smtp:
        await http.serve()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(prog="python -m local.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True, help="folder of the messages")
    arguments = parser.parse_args()
    # uvicorn raises the signal that stopped it once more when it has shut down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(
            serve(
                Mailbox(arguments.dir),
                smtp_port=arguments.smtp_port,
                http_port=arguments.http_port,
            )
        )


if __name__ == "__main__":
    main()
