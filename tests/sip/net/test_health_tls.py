"""Health checks over TLS: a peer that is not who it should be is down, and told why."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from lab import Lab
from lab.behaviour import CertificateKind
from lab.certificates import Authority, lab_domain
from sip.net import health_kept
from sip.net.health_prober import ProbeEnd, ProbeJob
from sip.net.tls import TlsProfile
from sip.tls_identity import ClientCertificate
from sip.transports import Transport
from tests.sip.net.health import checks, hurry, job
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


def tls_job(lab: Lab, name: str, *, tls: TlsProfile | None = None) -> ProbeJob:
    """A TLS port of a peer, asked for by its domain."""
    made = job(lab.peers[name].address, "tls", key=name)
    return replace(made, domain=lab_domain(name), tls=tls)


class TestTrust:
    @pytest.mark.parametrize("by_domain", [True, False])
    async def test_a_peer_with_a_good_certificate_is_asked(self, lab: Lab, by_domain: bool) -> None:
        asked = tls_job(lab, "tls-only")
        if not by_domain:
            asked = replace(asked, domain=asked.address)
        async with checks(lab.ca_file) as told:
            for _ in range(2):
                assert (await told.ask(asked)).status == 200
            assert told.prober.counters.connects == 1
        (first, second) = told.replies
        assert first.request.startswith(f"OPTIONS sip:{asked.domain}:5061;transport=tls ".encode())
        assert b"\r\nVia: SIP/2.0/TLS " in first.request
        assert second.ms is not None

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("expired-certificate", "certificate has expired"),
            ("wrong-name", "the certificate names "),
            ("self-signed", "self-signed certificate"),
            ("old-tls", "the peer speaks no TLS 1.2"),
            ("not-tls", "the peer does not speak TLS there"),
            ("client-certificate", "the peer asks for a client certificate"),
        ],
    )
    async def test_a_peer_that_is_not_trusted_is_sent_nothing(
        self, lab: Lab, name: str, words: str
    ) -> None:
        async with checks(lab.ca_file) as told:
            reply = await told.ask(tls_job(lab, name))
            assert reply.kind == ProbeEnd.TLS_FAILED
            assert words in (reply.detail or "")
            if name != "client-certificate":
                assert reply.request == b""

    async def test_who_answers_no_handshake_is_told_so(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.5)
        async with checks(lab.ca_file) as told:
            reply = await told.ask(tls_job(lab, "silent"))
        assert (reply.kind, reply.detail) == (
            ProbeEnd.TLS_FAILED,
            "the TLS handshake was not answered",
        )

    async def test_an_authority_that_is_not_ours_is_not_trusted_unless_given(
        self, lab: Lab
    ) -> None:
        asked = tls_job(lab, "tls-only")
        own = TlsProfile(asked.domain, ca_pem=lab.ca_file.read_text())
        async with checks() as told:
            refused = await told.ask(asked)
            assert (refused.kind, refused.detail) == (
                ProbeEnd.TLS_FAILED,
                "unable to get local issuer certificate",
            )
            assert (await told.ask(replace(asked, key="own", tls=own))).status == 200
            # What one target trusts is no business of the other, at the same address.
            assert (await told.ask(asked)).kind == ProbeEnd.TLS_FAILED

    async def test_a_pin_is_held_against_the_peer(self, lab: Lab, loopback: LoopbackBlock) -> None:
        asked = tls_job(lab, "tls-only")
        pem = await asyncio.to_thread(ssl.get_server_certificate, (asked.address, 5061))
        der = ssl.PEM_cert_to_DER_cert(pem)
        good = TlsProfile(asked.domain, ca_file=str(lab.ca_file), pin=sha256(der).hexdigest())
        async with checks() as told:
            assert (await told.ask(replace(asked, tls=good))).status == 200
            bad = replace(good, pin="0" * 64)
            reply = await told.ask(replace(asked, key="bad", tls=bad))
            assert reply.kind == ProbeEnd.TLS_FAILED
            assert "pinned" in (reply.detail or "")
            unverified = replace(bad, ca_file=None, verify=False)
            reply = await told.ask(replace(asked, key="unverified", tls=unverified))
            assert reply.kind == ProbeEnd.TLS_FAILED

    async def test_our_certificate_is_shown_to_who_asks(self, lab: Lab) -> None:
        pair = lab.client_pair
        client = ClientCertificate(pair.certificate.read_text(), pair.key.read_text())
        domain = lab_domain("client-certificate")
        profile = TlsProfile(domain, ca_file=str(lab.ca_file), client=client)
        async with checks() as told:
            reply = await told.ask(tls_job(lab, "client-certificate", tls=profile))
            assert reply.status == 200

    async def test_a_certificate_of_ours_that_is_none_is_our_fault(self, lab: Lab) -> None:
        broken = ClientCertificate("no certificate", "no key")
        profile = TlsProfile("pbx.example.com", client=broken)
        async with checks() as told:
            reply = await told.ask(tls_job(lab, "tls-only", tls=profile))
            assert reply.kind == ProbeEnd.CONNECT_FAILED
            assert "our TLS authorities or certificate" in (reply.detail or "")

    async def test_a_domain_that_is_no_server_name_is_told(self, lab: Lab) -> None:
        asked = replace(tls_job(lab, "tls-only"), domain="a" * 70 + ".example.com")
        async with checks(lab.ca_file) as told:
            reply = await told.ask(asked)
            assert reply.kind == ProbeEnd.CONNECT_FAILED
            assert "TLS server name" in (reply.detail or "")


@asynccontextmanager
async def wildcard_peer(address: str, folder: Path) -> AsyncIterator[str]:
    """A peer that closes each connection behind the handshake; its domain, matched by a wildcard."""
    authority = Authority.open(folder)
    pair = authority.server_pair("*", address, CertificateKind.VALID)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(accepted, address, 5061, ssl=context)
    async with server:
        yield lab_domain("some")


class TestNames:
    async def test_a_wildcard_is_accepted_unless_names_must_be_exact(
        self, loopback: LoopbackBlock, tmp_path: Path
    ) -> None:
        address = loopback.address()
        async with (
            wildcard_peer(address, tmp_path) as domain,
            checks(tmp_path / "ca.pem") as told,
        ):
            lax = ProbeJob("lax", address, 5061, Transport.TLS, domain)
            assert (await told.ask(lax)).kind == ProbeEnd.CLOSED
            exact = replace(lax, key="exact", exact_tls_names=True)
            reply = await told.ask(exact)
            assert reply.kind == ProbeEnd.TLS_FAILED
            assert "wildcard" in (reply.detail or "")


async def test_a_connection_is_replaced_when_its_certificate_was_looked_at_long_ago(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tls_job(lab, "tls-only")
    async with checks(lab.ca_file) as told:
        assert (await told.ask(asked)).status == 200
        monkeypatch.setattr(health_kept, "MAX_TLS_AGE", 0.0)
        assert (await told.ask(asked)).status == 200
        assert told.prober.counters.connects == 2
        assert told.closed == []
