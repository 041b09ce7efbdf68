"""E-mail through a real SMTP server: protected, bounded, and silent about addresses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from functools import partial

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.base import Delivered, Failed, Refused
from channels.email import EmailChannel, SmtpSecurity, SmtpServer
from tests.channels.conftest import Secured
from tests.channels.messages import AT, OPENED, RESOLVED

TO = "ops@customer.example"
FROM = "alerts@trunkline.example"


@dataclass(slots=True)
class Sink:
    """What an SMTP server took, and what it says to recipients and mails."""

    port: int = 0
    on_rcpt: str = "250 OK"
    on_data: str = "250 OK: queued as 4711"
    mails: list[tuple[Session, list[str], bytes]] = field(default_factory=list)

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.on_rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.on_rcpt.format(address=address)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append((session, list(envelope.rcpt_tos), envelope.content))
        return self.on_data.format(address=envelope.rcpt_tos[0])


def authenticated(*arguments: object) -> AuthResult:
    data = arguments[-1]
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.password == b"right", handled=False)


@asynccontextmanager
async def smtp(
    address: str,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    wants_login: bool = False,
) -> AsyncIterator[Sink]:
    sink, loop = Sink(), asyncio.get_running_loop()
    made: list[SMTP] = []

    def new() -> SMTP:
        server = partial(SMTP, sink, hostname="sink.example", loop=loop)
        protocol = server(
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=wants_login,
            authenticator=authenticated if wants_login else None,
        )
        made.append(protocol)
        return protocol

    server = await loop.create_server(new, address, 0, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for protocol in made:
            if isinstance(protocol.transport, asyncio.WriteTransport):
                protocol.transport.abort()
        await server.wait_closed()


def channel(
    address: str,
    sink: Sink,
    security: SmtpSecurity = SmtpSecurity.NONE,
    *,
    tls: ssl.SSLContext | None = None,
    deadline: float = 10.0,
    password: str | None = None,
) -> EmailChannel:
    server = SmtpServer(
        host=address,
        port=sink.port,
        sender=FROM,
        security=security,
        user=None if password is None else "trunkline",
        password=password,
    )
    return EmailChannel(server, tls=tls, clock=lambda: AT, deadline=deadline)


async def test_a_mail_arrives_as_text_and_html(address: str) -> None:
    async with smtp(address) as sink:
        receipt = await channel(address, sink).send(OPENED, TO)
        await channel(address, sink).send(RESOLVED, TO)
    assert receipt == Delivered("accepted by the mail server", "OK: queued as 4711")
    _, recipients, raw = sink.mails[0]
    assert recipients == [TO]
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"] == "[critical] No answer from sip1.carrier.example"
    assert (mail["To"], mail["From"]) == (TO, FROM)
    assert mail["Message-ID"] == f"<{OPENED.id}@trunkline.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "Ask the operator of sip1.carrier.example" in text.get_content()
    assert "<h1" in html.get_content()
    last = message_from_bytes(sink.mails[1][2], policy=default)
    assert last["References"] == mail["References"]
    assert last["Message-ID"] != mail["Message-ID"]


@pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
async def test_the_connection_is_encrypted_and_verified(
    security: SmtpSecurity, secured: Secured
) -> None:
    outer = secured.server if security is SmtpSecurity.TLS else None
    inner = secured.server if security is SmtpSecurity.STARTTLS else None
    async with smtp(secured.address, starttls=inner, tls=outer) as sink:
        trusting = channel(secured.address, sink, security, tls=secured.client)
        assert isinstance(await trusting.send(OPENED, TO), Delivered)
        receipt = await channel(secured.address, sink, security).send(OPENED, TO)
    assert isinstance(receipt, Failed)
    assert len(sink.mails) == 1


async def test_a_server_without_starttls_gets_no_mail(address: str) -> None:
    async with smtp(address) as sink:
        receipt = await channel(address, sink, SmtpSecurity.STARTTLS).send(OPENED, TO)
    assert isinstance(receipt, Failed)
    assert sink.mails == []


async def test_the_server_may_ask_who_we_are(secured: Secured) -> None:
    async with smtp(secured.address, starttls=secured.server, wants_login=True) as sink:
        for password, said in (("right", "accepted"), ("wrong", "the mail server failed: (535")):
            known = channel(
                secured.address,
                sink,
                SmtpSecurity.STARTTLS,
                tls=secured.client,
                password=password,
            )
            assert said in str(await known.send(OPENED, TO))
            assert password not in repr(
                SmtpServer(host="h", port=1, sender=FROM, password=password)
            )


@pytest.mark.parametrize(
    ("on_rcpt", "on_data", "receipt"),
    [
        ("550 5.1.1 <{address}> is unknown", "", Refused("550 5.1.1 <***> is unknown")),
        ("451 4.7.1 greylisted", "", Failed("451 4.7.1 greylisted")),
        ("250 OK", "554 5.7.1 spam for {address}", Refused("554 5.7.1 spam for ***")),
        ("250 OK", "452 4.3.1 full", Failed("452 4.3.1 full")),
    ],
)
async def test_refusals_say_why_without_the_address(
    on_rcpt: str, on_data: str, receipt: object, address: str
) -> None:
    async with smtp(address) as sink:
        sink.on_rcpt, sink.on_data = on_rcpt, on_data
        assert await channel(address, sink).send(OPENED, TO) == receipt


async def test_a_server_that_is_not_there_or_hangs_is_a_failure(address: str) -> None:
    assert isinstance(await channel(address, Sink(port=9)).send(OPENED, TO), Failed)
    opened: list[asyncio.StreamWriter] = []

    async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)

    server = await asyncio.start_server(silence, address, 0)
    sink = Sink(port=server.sockets[0].getsockname()[1])
    receipt = await channel(address, sink, deadline=0.3).send(OPENED, TO)
    assert receipt == Failed("the mail server did not answer within 0.3 s")
    server.close()
    for writer in opened:
        writer.transport.abort()
    await server.wait_closed()
