"""A connection check reaches what a call would reach, and says why it reaches nothing else."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority, KeyPair
from lab.tls import server_context
from sip.build import response_to
from sip.call_facts import TargetOutcome
from sip.call_plan import CallPlan
from sip.net.connection_check import ConnectionFacts, check_connection
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from sip.net.stack import SipStack
from sip.net.tls_credentials import pins_of
from sip.tls_identity import ClientCertificate
from sip.transaction import RequestReceived
from tests.sip.net.calls import new_token
from tests.sip.net.stacks import LOOPBACK
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

PLAN = CallPlan(host="127.0.0.1", from_uri_user="trunkline", user_agent="Trunkline/test")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path)


class Peer:
    """Answers every request with one status and keeps the requests."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.seen: list[str] = []

    def handle(self, stack: SipStack, event: RequestReceived) -> None:
        self.seen.append(f"{event.request.method} {event.request.uri}")
        stack.respond(event.key, response_to(event.request, self.status, to_tag="t"))


@asynccontextmanager
async def peer_at(
    address: str, *, status: int = 200, context: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    peer = Peer(status)
    async with SipStack(guard=LOOPBACK, handler=peer.handle) as stack:
        if context is None:
            stack.transport.listen_udp((address, 5060))
            await stack.transport.listen_stream((address, 5060))
        else:
            await stack.transport.listen_stream((address, 5061), context)
        yield peer


def tls_server(authority: Authority, address: str, **manner: Any) -> ssl.SSLContext:
    pair = authority.server_pair("pbx", address, CertificateKind.VALID)
    return server_context(TlsManner(**manner), pair, authority.ca_file)


def client_of(pair: KeyPair) -> ClientCertificate:
    return ClientCertificate(pair.certificate.read_text(), pair.key.read_text())


async def check(
    plan: CallPlan = PLAN,
    *,
    guard: AddressGuard = LOOPBACK,
    resolver: Resolver | None = None,
    seconds: float = 3.0,
    **changes: Any,
) -> ConnectionFacts:
    return await check_connection(
        replace(plan, **changes),
        guard=guard,
        resolver=resolver or Resolver([]),
        identity=ProbeIdentity(user_agent="Trunkline/test"),
        new_token=new_token,
        seconds=seconds,
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("status", [200, 404, 503])
async def test_any_final_response_is_an_answer(
    loopback: LoopbackBlock, transport: str, status: int
) -> None:
    address = loopback.address()
    async with peer_at(address, status=status) as peer:
        facts = await check(host=address, port=5060, transport=transport)
    assert facts.status == status
    assert facts.response_ms is not None
    assert 0 < facts.response_ms < 3000
    assert len(peer.seen) == 1
    assert peer.seen[0].startswith(f"OPTIONS sip:{address}")


async def test_tls_peers_are_judged_as_for_a_call(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    address = loopback.address()
    plan = replace(PLAN, host=address, port=5061, transport="tls")
    own = authority.ca_file.read_text()
    async with peer_at(address, context=tls_server(authority, address)) as peer:
        unknown = await check(plan)
        trusted = await check(plan, ca_pem=own)
        other = await check(replace(plan, host="other.example"), ca_pem=own)
    assert unknown.outcome is TargetOutcome.TLS_UNTRUSTED
    assert trusted.status == 200
    assert not other.resolved
    assert len(peer.seen) == 1


async def test_a_certificate_that_names_somebody_else(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    address = loopback.address()
    pair = authority.server_pair("pbx", address, CertificateKind.OTHER_NAME)
    context = server_context(TlsManner(), pair, authority.ca_file)
    async with peer_at(address, context=context) as peer:
        facts = await check(
            host=address, port=5061, transport="tls", ca_file=str(authority.ca_file)
        )
    assert facts.outcome is TargetOutcome.TLS_NAME_MISMATCH
    assert peer.seen == []


async def test_a_pin_is_met_by_the_certificate_or_by_its_key_and_by_nothing_else(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    address = loopback.address()
    pair = authority.server_pair("pbx", address, CertificateKind.VALID)
    pins = pins_of(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text().split("\n\n")[0]))
    plan = replace(PLAN, host=address, port=5061, transport="tls", ca_file=str(authority.ca_file))
    async with peer_at(address, context=tls_server(authority, address)) as peer:
        for pin in pins:
            assert (await check(plan, certificate_pin=pin)).status == 200
        wrong = await check(plan, certificate_pin="0" * 64)
        # A pin narrows whom we trust; it makes nobody trusted.
        unknown = await check(plan, ca_file=None, certificate_pin=next(iter(pins)))
    assert len(pins) == len(peer.seen) == 2
    assert wrong.outcome is TargetOutcome.TLS_UNTRUSTED
    assert unknown.outcome is TargetOutcome.TLS_UNTRUSTED


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        # OpenSSL's alert there is handshake_failure, which may mean anything.
        (ssl.TLSVersion.TLSv1_2, TargetOutcome.TLS_FAILED),
        (ssl.TLSVersion.TLSv1_3, TargetOutcome.TLS_CLIENT_CERTIFICATE),
    ],
)
async def test_a_peer_that_demands_a_certificate_gets_ours(
    loopback: LoopbackBlock,
    authority: Authority,
    tmp_path: Path,
    version: ssl.TLSVersion,
    outcome: TargetOutcome,
) -> None:
    address = loopback.address()
    context = tls_server(authority, address, client_certificate=True)
    context.minimum_version = context.maximum_version = version
    plan = replace(PLAN, host=address, port=5061, transport="tls", ca_file=str(authority.ca_file))
    strangers = Authority.open(tmp_path / "strangers").client_pair()
    async with peer_at(address, context=context) as peer:
        none = await check(plan)
        foreign = await check(plan, client_certificate=client_of(strangers))
        ours = await check(plan, client_certificate=client_of(authority.client_pair()))
    assert none.outcome is outcome
    assert foreign.status is None
    assert foreign.outcome in {TargetOutcome.TLS_FAILED, TargetOutcome.RESET}
    assert ours.status == 200
    assert len(peer.seen) == 1


async def test_a_key_that_does_not_fit_fails_before_anything_is_sent(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    address = loopback.address()
    ours, other = authority.client_pair(), authority.client_pair("other")
    mixed = ClientCertificate(ours.certificate.read_text(), other.key.read_text())
    async with peer_at(address, context=tls_server(authority, address)):
        facts = await check(
            host=address,
            port=5061,
            transport="tls",
            ca_file=str(authority.ca_file),
            client_certificate=mixed,
        )
    assert facts.outcome is TargetOutcome.TLS_FAILED
    assert "PRIVATE KEY" not in repr(mixed)


async def test_what_does_not_answer_is_named(loopback: LoopbackBlock) -> None:
    address = loopback.address()
    assert (await check(host=address, port=5060, transport="tcp")).outcome is TargetOutcome.REFUSED
    assert (await check(host=address, port=5060, transport="udp")).outcome is TargetOutcome.REFUSED
    assert (
        await check(host=address, port=5060, transport="udp", guard=AddressGuard())
    ).outcome is TargetOutcome.NOT_ALLOWED
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((address, 5060))
        facts = await check(host=address, port=5060, transport="udp", seconds=0.6)
    assert facts == ConnectionFacts(outcome=TargetOutcome.SILENT)


async def test_the_next_target_is_tried_when_one_cannot_be_reached(
    loopback: LoopbackBlock,
) -> None:
    dead, alive = loopback.address(), loopback.address()
    records: dict[tuple[str, str], Any] = {
        ("pbx.example.com", "A"): [dead, alive],
    }
    async with DnsServer(records) as server, peer_at(alive) as peer:
        facts = await check(
            host="pbx.example.com",
            port=5060,
            transport="tcp",
            resolver=Resolver([server.address]),
        )
        unknown = await check(host="nobody.example.com", resolver=Resolver([server.address]))
    assert facts.status == 200
    assert len(peer.seen) == 1
    assert unknown == ConnectionFacts(resolved=False)
