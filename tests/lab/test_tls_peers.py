"""The peers that speak TLS, as OpenSSL sees them."""

from __future__ import annotations

import asyncio
import ssl
import warnings

import pytest

from lab import Lab
from tests.lab.client import ask_stream, request

pytestmark = pytest.mark.usefixtures("loop_errors")


def trusting(lab: Lab, *, check_name: bool = True) -> ssl.SSLContext:
    """Client context that trusts the lab's authority."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    context.check_hostname = check_name
    return context


def asked(lab: Lab, name: str) -> bytes:
    return request(lab.peers[name].uri, transport="TLS")


@pytest.mark.parametrize("name", ["kamailio", "3cx", "twilio", "tls-only"])
async def test_a_good_certificate_verifies_for_the_peers_address(lab: Lab, name: str) -> None:
    address = lab.peers[name].address
    answer = await ask_stream(address, asked(lab, name), port=5061, tls=trusting(lab))
    assert answer.status == 200


async def test_tls_only_listens_nowhere_else(lab: Lab) -> None:
    with pytest.raises(ConnectionRefusedError):
        await ask_stream(lab.peers["tls-only"].address, asked(lab, "tls-only"))


async def test_tls_1_2_is_enough(lab: Lab) -> None:
    context = trusting(lab)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    address = lab.peers["tls-only"].address
    answer = await ask_stream(address, asked(lab, "tls-only"), port=5061, tls=context)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired-certificate", "certificate has expired"),
        ("wrong-name", "IP address mismatch"),
        ("self-signed", "self-signed certificate"),
    ],
)
async def test_a_bad_certificate_fails_for_its_own_reason_alone(
    lab: Lab, name: str, words: str
) -> None:
    address = lab.peers[name].address
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        await ask_stream(address, asked(lab, name), port=5061, tls=trusting(lab))
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    assert (await ask_stream(address, asked(lab, name), port=5061, tls=careless)).status == 200


async def test_the_wrong_name_is_the_only_fault_of_that_certificate(lab: Lab) -> None:
    address = lab.peers["wrong-name"].address
    unchecked = trusting(lab, check_name=False)
    answer = await ask_stream(address, asked(lab, "wrong-name"), port=5061, tls=unchecked)
    assert answer.status == 200


class TestOldTls:
    def old_client(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = version
            context.maximum_version = version
        return context

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
    async def test_it_answers_over_old_versions(self, lab: Lab, version: ssl.TLSVersion) -> None:
        address = lab.peers["old-tls"].address
        client = self.old_client(version)
        answer = await ask_stream(address, asked(lab, "old-tls"), port=5061, tls=client)
        assert answer.status == 200

    async def test_it_tells_a_client_of_today_that_the_version_is_the_reason(
        self, lab: Lab
    ) -> None:
        hello = ssl.MemoryBIO()
        context = trusting(lab)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        client = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="old-tls")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        reader, writer = await asyncio.open_connection(lab.peers["old-tls"].address, 5061)
        writer.write(hello.read())
        record = await reader.readexactly(7)
        writer.close()
        await writer.wait_closed()
        alert, fatal, protocol_version = 21, 2, 70  # RFC 8446 sections 5.1 and 6
        assert (record[0], record[5], record[6]) == (alert, fatal, protocol_version)


class TestClientCertificate:
    async def test_without_one_the_peer_says_that_it_wants_one(self, lab: Lab) -> None:
        address = lab.peers["client-certificate"].address
        data = asked(lab, "client-certificate")
        with pytest.raises(ssl.SSLError) as caught:
            await ask_stream(address, data, port=5061, tls=trusting(lab))
        assert caught.value.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"

    async def test_with_one_of_the_labs_authority_it_answers(self, lab: Lab) -> None:
        address = lab.peers["client-certificate"].address
        context = trusting(lab)
        context.load_cert_chain(lab.client_pair.certificate, lab.client_pair.key)
        data = asked(lab, "client-certificate")
        assert (await ask_stream(address, data, port=5061, tls=context)).status == 200

    async def test_with_one_of_a_stranger_it_does_not(self, lab: Lab) -> None:
        address = lab.peers["client-certificate"].address
        folder = lab.ca_file.parent
        context = trusting(lab)
        context.load_cert_chain(folder / "self-signed.pem", folder / "self-signed.key")
        data = asked(lab, "client-certificate")
        with pytest.raises(ssl.SSLError) as caught:
            await ask_stream(address, data, port=5061, tls=context)
        assert caught.value.reason == "TLSV1_ALERT_UNKNOWN_CA"


@pytest.mark.parametrize("name", ["tls-only", "client-certificate", "old-tls", "garbage"])
async def test_plain_sip_on_a_tls_port_is_closed_at_once(lab: Lab, name: str) -> None:
    reader, writer = await asyncio.open_connection(lab.peers[name].address, 5061)
    writer.write(asked(lab, name))
    assert b"SIP" not in await asyncio.wait_for(reader.read(), 2)
    writer.close()
    await writer.wait_closed()


async def test_garbage_comes_over_a_session_that_verifies(lab: Lab) -> None:
    address = lab.peers["garbage"].address
    with pytest.raises((EOFError, ssl.SSLError)):
        await ask_stream(address, asked(lab, "garbage"), port=5061, tls=trusting(lab))
