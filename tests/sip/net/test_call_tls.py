"""Test calls over TLS: whom they trust, and what is said of those they do not."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority
from lab.tls import server_context
from sip.call_facts import CallFacts, TargetFacts, TargetOutcome
from sip.media_verdict import SrtpOutcome
from sip.net.resolver import Resolver
from tests.sip.net.calls import PLAN, Observer, call
from tests.sip.net.phones import Call, Phone, answering, deaf_socket, phone_at, secure_answer
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

TLS = replace(PLAN, transport="tls", port=5061)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path)


@asynccontextmanager
async def tls_phone(
    authority: Authority, address: str, kind: CertificateKind = CertificateKind.VALID
) -> AsyncIterator[Phone]:
    pair = authority.server_pair("pbx", address, kind)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    async def secure(call: Call) -> None:
        call.respond(180)
        call.respond(200, secure_answer(call))

    async with phone_at(address, secure, port=5061, context=context) as phone:
        yield phone


def target_of(facts: CallFacts) -> TargetFacts:
    (target,) = facts.targets
    return target


async def test_a_call_with_tls_and_srtp_proves_both(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    observer = Observer()
    async with tls_phone(authority, loopback.address()) as phone:
        facts = await call(
            TLS,
            observer,
            host=phone.address,
            ca_file=str(authority.ca_file),
            secure_media=True,
        )
    target = target_of(facts)
    assert target.outcome is TargetOutcome.CALLED
    assert target.tls is not None
    assert target.tls.verifies
    assert target.tcp_ms is not None
    assert target.tls_ms is not None
    assert target.tls_ms > 0
    assert facts.media is not None
    assert facts.media.srtp is SrtpOutcome.AUTHENTICATED
    assert phone.methods() == ["INVITE", "BYE"]
    assert phone.requests[0].via.transport == "TLS"
    assert str(phone.requests[0].contacts[0].uri).endswith(";transport=tls")
    assert {record.flow.transport for record in observer.records} == {"TLS"}


async def test_the_trunks_own_authority_is_trusted(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    async with tls_phone(authority, loopback.address()) as phone:
        facts = await call(
            TLS, host=phone.address, ca_pem=authority.ca_file.read_text(), secure_media=True
        )
    assert target_of(facts).outcome is TargetOutcome.CALLED


@pytest.mark.parametrize(
    ("kind", "outcome", "words"),
    [
        (CertificateKind.EXPIRED, TargetOutcome.TLS_UNTRUSTED, "certificate has expired"),
        (CertificateKind.SELF_SIGNED, TargetOutcome.TLS_UNTRUSTED, "self-signed certificate"),
        (CertificateKind.OTHER_NAME, TargetOutcome.TLS_NAME_MISMATCH, "the certificate names"),
    ],
)
async def test_a_peer_that_cannot_be_trusted_gets_no_invite_and_is_shown(
    loopback: LoopbackBlock,
    authority: Authority,
    kind: CertificateKind,
    outcome: TargetOutcome,
    words: str,
) -> None:
    observer = Observer()
    async with tls_phone(authority, loopback.address(), kind) as phone:
        facts = await call(TLS, observer, host=phone.address, ca_file=str(authority.ca_file))
    target = target_of(facts)
    assert target.outcome is outcome
    assert words in (target.detail or "")
    assert target.tls is not None
    assert not target.tls.verifies
    assert target.tls.chain
    assert (phone.requests, observer.records, facts.invite) == ([], [], None)


async def test_verification_can_be_left_out(loopback: LoopbackBlock, authority: Authority) -> None:
    async with tls_phone(authority, loopback.address(), CertificateKind.SELF_SIGNED) as phone:
        facts = await call(TLS, host=phone.address, verify_tls=False, secure_media=True)
    target = target_of(facts)
    assert target.outcome is TargetOutcome.CALLED
    assert target.tls is not None
    assert target.tls.problem == "not verified"


async def test_an_authority_that_is_none_is_reported(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    async with tls_phone(authority, loopback.address()) as phone:
        facts = await call(TLS, host=phone.address, ca_pem="no certificate")
    assert target_of(facts).outcome is TargetOutcome.TLS_FAILED
    assert phone.requests == []


async def test_a_port_that_speaks_plain_sip_is_not_tls(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering, port=5061) as phone:
        facts = await call(TLS, host=phone.address)
    outcomes = (TargetOutcome.NOT_TLS, TargetOutcome.RESET, TargetOutcome.TLS_SILENT)
    assert target_of(facts).outcome in outcomes
    assert phone.requests == []


async def test_a_contact_without_tls_is_not_followed_out_of_it(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    pair = authority.server_pair("pbx", address := loopback.address(), CertificateKind.VALID)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    async def careless(call: Call) -> None:
        contact = f"<sip:phone@{address}:5060;transport=udp>"
        call.respond(200, secure_answer(call), contact=contact)

    observer = Observer()
    with deaf_socket(address) as clear:
        clear.setblocking(False)
        async with phone_at(address, careless, port=5061, context=context) as phone:
            await call(
                TLS,
                observer,
                host=address,
                ca_file=str(authority.ca_file),
                secure_media=True,
            )
        with pytest.raises(BlockingIOError):
            clear.recv(2048)
    assert phone.methods() == ["INVITE", "BYE"]
    assert {record.flow.transport for record in observer.records} == {"TLS"}


async def test_a_peer_that_wants_a_certificate_of_ours_was_not_called(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    pair = authority.server_pair("pbx", address := loopback.address(), CertificateKind.VALID)
    context = server_context(TlsManner(client_certificate=True), pair, authority.ca_file)
    async with phone_at(address, answering, port=5061, context=context) as phone:
        facts = await call(TLS, host=address, ca_file=str(authority.ca_file))
    assert target_of(facts).outcome is TargetOutcome.TLS_CLIENT_CERTIFICATE
    assert "certificate required" in (target_of(facts).detail or "")
    assert phone.requests == []
    assert not facts.left_up


async def test_a_certificate_with_a_wildcard_is_refused_when_exact_names_are_wanted(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    pair = authority.server_pair("*", address := loopback.address(), CertificateKind.VALID)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    async def secure(call: Call) -> None:
        call.respond(200, secure_answer(call))

    host = "pbx.lab.trunkline.test"
    async with (
        DnsServer({(host, "A"): [address]}) as server,
        phone_at(address, secure, port=5061, context=context),
    ):
        plan = replace(TLS, host=host, ca_file=str(authority.ca_file), secure_media=True)
        resolver = Resolver([server.address])
        lenient = await call(plan, resolver=resolver)
        exact = await call(plan, resolver=resolver, exact_tls_names=True)
    assert target_of(lenient).outcome is TargetOutcome.CALLED
    assert target_of(exact).outcome is TargetOutcome.TLS_NAME_MISMATCH
    assert "wildcard" in (target_of(exact).detail or "")
