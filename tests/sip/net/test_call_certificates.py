"""Test calls to peers that demand a certificate of ours, and to peers that are pinned."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from lab.behaviour import CertificateKind, TlsManner
from lab.certificates import Authority
from lab.tls import server_context
from sip.call_facts import TargetOutcome
from sip.net.tls_credentials import pins_of
from sip.tls_identity import ClientCertificate
from tests.sip.net.calls import PLAN, call
from tests.sip.net.phones import Call, phone_at, secure_answer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path)


async def secure(call: Call) -> None:
    call.respond(200, secure_answer(call))


async def test_a_peer_that_demands_a_certificate_is_called_with_ours(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    address = loopback.address()
    pair = authority.server_pair("pbx", address, CertificateKind.VALID)
    context = server_context(TlsManner(client_certificate=True), pair, authority.ca_file)
    ours = authority.client_pair()
    plan = replace(
        PLAN,
        host=address,
        transport="tls",
        port=5061,
        ca_file=str(authority.ca_file),
        secure_media=True,
        client_certificate=ClientCertificate(ours.certificate.read_text(), ours.key.read_text()),
    )
    async with phone_at(address, secure, port=5061, context=context) as phone:
        facts = await call(plan)
    (target,) = facts.targets
    assert target.outcome is TargetOutcome.CALLED
    assert phone.methods() == ["INVITE", "BYE"]


async def test_a_pinned_peer_is_called_and_another_one_gets_no_invite(
    loopback: LoopbackBlock, authority: Authority
) -> None:
    address = loopback.address()
    pair = authority.server_pair("pbx", address, CertificateKind.VALID)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    plan = replace(
        PLAN,
        host=address,
        transport="tls",
        port=5061,
        ca_file=str(authority.ca_file),
        secure_media=True,
    )
    async with phone_at(address, secure, port=5061, context=context) as phone:
        stranger = await call(plan, certificate_pin="0" * 64)
        assert phone.requests == []
        (target,) = stranger.targets
        assert target.tls is not None
        (leaf, *_) = target.tls.chain
        known = await call(plan, certificate_pin=leaf.fingerprint)
    assert target.outcome is TargetOutcome.TLS_UNTRUSTED
    assert target.detail == "neither the certificate nor its public key is the pinned one"
    assert [each.outcome for each in known.targets] == [TargetOutcome.CALLED]
    assert leaf.fingerprint in pins_of(
        ssl.PEM_cert_to_DER_cert(
            pair.certificate.read_text().partition("\n-----END")[0]
            + "\n-----END CERTIFICATE-----\n"
        )
    )
