from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.behaviour import CertificateKind
from lab.certificates import Authority
from sip.net.tls import (
    TlsProblem,
    TlsProfile,
    certificate_facts,
    client_context,
    matches_name,
    tls_problem,
)

DOMAIN = "pbx.example.com"


class TestMatchesName:
    """RFC 5922 section 7.2, names compared as in its section 7.3."""

    @pytest.mark.parametrize(
        "names",
        [
            ("DNS:pbx.example.com",),
            ("DNS:PBX.Example.COM",),
            ("DNS:pbx.example.com.",),
            ("URI:sip:pbx.example.com",),
            ("URI:SIP:pbx.example.com",),
            ("DNS:other.example.com", "URI:sip:pbx.example.com"),
        ],
    )
    @pytest.mark.parametrize("wanted", [DOMAIN, "PBX.example.com", "pbx.example.com."])
    def test_dns_and_sip_uri_entries_match_in_any_case(
        self, names: tuple[str, ...], wanted: str
    ) -> None:
        match = matches_name(names, wanted)
        assert (match.matches, match.note) == (True, None)

    @pytest.mark.parametrize(
        "names",
        [
            (),
            ("DNS:example.com",),
            ("DNS:sip.pbx.example.com",),
            ("DNS:pbx.example.com.evil.test",),
            ("URI:sip:alice@pbx.example.com",),
            ("URI:https:pbx.example.com",),
            ("URI:https://pbx.example.com",),
            ("IP:192.0.2.1",),
            ("pbx.example.com",),
        ],
    )
    def test_nothing_else_matches_a_domain(self, names: tuple[str, ...]) -> None:
        assert not matches_name(names, DOMAIN).matches

    def test_one_wildcard_label_matches_with_a_note(self) -> None:
        match = matches_name(("DNS:*.example.com",), DOMAIN)
        assert match.matches
        assert match.note is not None
        assert "*.example.com" in match.note

    @pytest.mark.parametrize(
        "names",
        [
            ("DNS:*.com",),
            ("DNS:*.pbx.example.com",),
            ("DNS:p*.example.com",),
            ("DNS:*bx.example.com",),
            ("DNS:pbx.*.com",),
            ("DNS:*.*.com",),
            ("DNS:*",),
            ("URI:sip:*.example.com",),
        ],
    )
    def test_other_wildcards_do_not(self, names: tuple[str, ...]) -> None:
        assert not matches_name(names, DOMAIN).matches

    def test_a_wildcard_stands_for_exactly_one_label(self) -> None:
        assert not matches_name(("DNS:*.example.com",), "a.b.example.com").matches
        assert not matches_name(("DNS:*.example.com",), "example.com").matches

    def test_an_exact_entry_is_preferred_to_a_wildcard(self) -> None:
        assert matches_name(("DNS:*.example.com", f"DNS:{DOMAIN}"), DOMAIN).note is None

    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("IP:192.0.2.1", "192.0.2.1"),
            ("IP:2001:db8::1", "2001:db8::1"),
            ("IP:2001:db8::1", "2001:DB8:0:0:0:0:0:1"),
        ],
    )
    def test_an_address_matches_an_address_entry(self, name: str, wanted: str) -> None:
        assert matches_name((name,), wanted).matches

    @pytest.mark.parametrize(
        "name", ["DNS:192.0.2.1", "URI:sip:192.0.2.1", "IP:192.0.2.2", "DNS:*.0.2.1"]
    )
    def test_an_address_matches_nothing_else(self, name: str) -> None:
        assert not matches_name((name,), "192.0.2.1").matches

    @settings(max_examples=200)
    @given(st.lists(st.text(max_size=30), max_size=4), st.text(max_size=30))
    def test_no_certificate_breaks_it(self, names: list[str], wanted: str) -> None:
        match = matches_name(names, wanted)
        assert match.matches or match.note is None


class TestCertificateFacts:
    NOW = datetime(2026, 6, 1, tzinfo=UTC)

    @pytest.fixture
    def leaf(self, tmp_path: Path) -> bytes:
        return self.der(tmp_path, CertificateKind.VALID)

    def der(self, folder: Path, kind: CertificateKind) -> bytes:
        pair = Authority.open(folder, self.NOW).server_pair("tls-only", "127.0.0.9", kind)
        return load_pem_x509_certificate(pair.certificate.read_bytes()).public_bytes(Encoding.DER)

    def test_names_times_and_issuer_are_read(self, tmp_path: Path) -> None:
        facts = certificate_facts(self.der(tmp_path, CertificateKind.VALID))
        assert facts is not None
        assert facts.subject == "tls-only.lab.trunkline.test"
        assert facts.issuer == "Trunkline lab CA"
        assert facts.names == (
            "IP:127.0.0.9",
            "DNS:tls-only.lab.trunkline.test",
            "URI:sip:tls-only.lab.trunkline.test",
        )
        assert facts.not_before < self.NOW < facts.not_after
        assert len(facts.fingerprint) == 64

    def test_an_expired_one_says_since_when(self, tmp_path: Path) -> None:
        facts = certificate_facts(self.der(tmp_path, CertificateKind.EXPIRED))
        assert facts is not None
        assert facts.not_after == self.NOW - timedelta(days=1)

    @pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x01", b"x" * 500])
    def test_what_is_no_certificate_has_none(self, der: bytes) -> None:
        assert certificate_facts(der) is None

    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(damage=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=1))))
    def test_no_damaged_certificate_breaks_it(
        self, leaf: bytes, damage: list[tuple[int, bytes]]
    ) -> None:
        damaged = bytearray(leaf)
        for place, byte in damage:
            damaged[place % len(damaged)] = byte[0]
        facts = certificate_facts(bytes(damaged))
        assert facts is None or all(text.isprintable() for text in facts.names)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x33"),
            (b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x11"),
            (b"\x82\x1btls-only", b"\x83\x1btls-only"),
        ],
        ids=["version", "extension twice", "unsupported name"],
    )
    def test_one_that_the_parser_refuses_for_other_reasons_has_none(
        self, leaf: bytes, old: bytes, new: bytes
    ) -> None:
        assert leaf.count(old) == 1
        assert certificate_facts(leaf.replace(old, new)) is None

    def test_control_characters_in_names_are_shown_as_such(self, leaf: bytes) -> None:
        facts = certificate_facts(leaf.replace(b"\x82\x1btls-only.lab", b"\x82\x1btls-only\x00lab"))
        assert facts is not None
        assert "DNS:tls-only\ufffdlab.trunkline.test" in facts.names


class TestClientContext:
    def test_it_verifies_and_starts_at_tls_1_2(self) -> None:
        context = client_context(TlsProfile(DOMAIN))
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    def test_without_verification_the_floor_stays(self) -> None:
        context = client_context(TlsProfile(DOMAIN, verify=False))
        assert context.verify_mode is ssl.CERT_NONE
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    def test_a_ca_file_that_was_replaced_counts(self, tmp_path: Path) -> None:
        ca_file = Authority.open(tmp_path / "one").ca_file
        profile = TlsProfile(DOMAIN, ca_file=str(ca_file))
        first = client_context(profile)
        assert client_context(profile) is first
        ca_file.write_bytes(Authority.open(tmp_path / "other").ca_file.read_bytes())
        assert client_context(profile) is not first

    def test_a_ca_file_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            client_context(TlsProfile(DOMAIN, ca_file=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", TlsProblem.OLD_VERSION),
        ("UNSUPPORTED_PROTOCOL", TlsProblem.OLD_VERSION),
        ("WRONG_VERSION_NUMBER", TlsProblem.NOT_TLS),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", TlsProblem.CLIENT_CERTIFICATE),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", TlsProblem.HANDSHAKE),
        ("", TlsProblem.HANDSHAKE),
    ],
)
def test_openssls_reason_becomes_a_problem(reason: str, problem: TlsProblem) -> None:
    error = ssl.SSLError(1, "text")
    error.reason = reason
    assert tls_problem(error) is problem
