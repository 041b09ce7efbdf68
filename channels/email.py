"""Alerts by e-mail, through the operator's SMTP server.

One message per recipient, so that nobody reads the others' addresses. An address never comes into a
receipt: servers like to repeat it, and receipts are logged.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from enum import StrEnum
from typing import Final

import aiosmtplib

from channels.base import Delivered, Failed, Receipt, Refused, reason
from domain.alert_mail import mail_of
from domain.alert_messages import AlertMessage

__all__ = ["DEADLINE", "EmailChannel", "SmtpSecurity", "SmtpServer"]

DEADLINE: Final = 30.0
"""Seconds for a whole delivery; servers that look up blocklists take their time."""

_ADDRESS: Final = re.compile(r"[^\s<>@]{1,64}+@[^\s<>@]{1,255}+")


class SmtpSecurity(StrEnum):
    """How the connection is protected; the certificate is verified in both ways."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """For a server on the same machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Who takes our mail. ``sender`` is the address that it comes from."""

    host: str
    port: int
    sender: str
    security: SmtpSecurity = SmtpSecurity.STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class EmailChannel:
    """Sends messages as text and HTML; the recipient is an address."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        deadline: float = DEADLINE,
    ) -> None:
        self._server = server
        self._tls = tls or ssl.create_default_context()
        self._clock = clock
        self._deadline = deadline

    async def send(self, message: AlertMessage, recipient: str) -> Receipt:
        """Hand the mail to the server. A refusal of the recipient or the mail is final (5xx)."""
        written = mail_of(message)
        mail = self.addressed(written.subject, recipient, message.id)
        mail["References"] = f"<{written.thread}@{self._domain}>"
        mail.set_content(written.text)
        mail.add_alternative(written.html, subtype="html")
        return await self.hand_over(mail, recipient)

    async def hand_over(self, mail: EmailMessage, recipient: str) -> Receipt:
        """Hand over a mail that is written already (see ``addressed``); as ``send``."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._handed_over(mail, recipient)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            return _refusal(refused.code, refused.message, recipient)
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            return _refusal(error.code, error.message, recipient)
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return Failed(f"the mail server did not answer within {self._deadline:g} s")
        except ssl.SSLCertVerificationError as error:
            return Failed(f"the mail server's certificate is not trusted: {error.verify_message}")
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            return Failed(f"the mail server failed: {_without_addresses(str(error), recipient)}")

    async def _handed_over(self, mail: EmailMessage, recipient: str) -> Receipt:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security is SmtpSecurity.TLS,
            start_tls=server.security is SmtpSecurity.STARTTLS,
            tls_context=self._tls,
            timeout=self._deadline,
            username=server.user,
            password=server.password,
        )
        async with client:
            _, said = await client.send_message(mail, sender=server.sender, recipients=[recipient])
        return Delivered("accepted by the mail server", _without_addresses(said, recipient))

    def addressed(self, subject: str, recipient: str, message_id: str) -> EmailMessage:
        """A mail from us to the recipient, without its content. ``message_id`` is the same for each
        attempt: whoever gets it twice can tell."""
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["Subject"] = subject
        mail["From"] = self._server.sender
        mail["To"] = recipient
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{message_id}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from vacations
        return mail

    @property
    def _domain(self) -> str:
        return self._server.sender.rpartition("@")[2]


def _refusal(code: int, said: str, recipient: str) -> Receipt:
    words = f"{code} {_without_addresses(said, recipient)}"
    return Refused(words) if code >= 500 else Failed(words)


def _without_addresses(text: str, recipient: str) -> str:
    return reason(_ADDRESS.sub("***", text.replace(recipient, "***")))
