from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from lab.behaviour import CertificateKind
from lab.certificates import Authority, KeyPair

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def issue(
    folder: Path, kind: CertificateKind = CertificateKind.VALID, *, now: datetime = NOW
) -> KeyPair:
    return Authority.open(folder, now).server_pair("asterisk", "127.0.60.1", kind)


class TestAuthority:
    def test_its_certificate_may_sign_certificates_and_nothing_below_it_may(
        self, tmp_path: Path
    ) -> None:
        certificate = load(Authority.open(tmp_path, NOW).ca_file)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert (constraints.critical, constraints.value.ca) == (True, True)
        assert constraints.value.path_length == 0
        assert (usage.critical, usage.value.key_cert_sign) == (True, True)

    def test_it_is_kept_from_run_to_run(self, tmp_path: Path) -> None:
        first = Authority.open(tmp_path, NOW).ca_file.read_bytes()
        assert Authority.open(tmp_path, NOW + timedelta(days=300)).ca_file.read_bytes() == first

    def test_it_is_made_anew_before_it_expires(self, tmp_path: Path) -> None:
        first = load(Authority.open(tmp_path, NOW).ca_file)
        late = first.not_valid_after_utc - timedelta(days=3)
        assert load(Authority.open(tmp_path, late).ca_file).not_valid_after_utc > late

    @pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
    def test_it_is_made_anew_when_a_file_is_damaged(self, tmp_path: Path, name: str) -> None:
        Authority.open(tmp_path, NOW)
        (tmp_path / name).write_text("damaged")
        issue(tmp_path)
        assert load(tmp_path / "ca.pem").not_valid_after_utc > NOW

    def test_it_is_made_anew_when_its_key_is_another_one(self, tmp_path: Path) -> None:
        Authority.open(tmp_path, NOW)
        other = Authority.open(tmp_path / "other", NOW)
        (tmp_path / "ca.key").write_bytes(other.ca_file.with_name("ca.key").read_bytes())
        pair = issue(tmp_path)
        load(pair.certificate).verify_directly_issued_by(load(tmp_path / "ca.pem"))


class TestFiles:
    def test_keys_are_for_their_owner_alone(self, tmp_path: Path) -> None:
        issue(tmp_path)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == {
            "ca.pem": 0o644,
            "ca.key": 0o600,
            "asterisk.pem": 0o644,
            "asterisk.key": 0o600,
        }

    def test_an_existing_folder_keeps_its_mode(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        Authority.open(tmp_path, NOW)
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


class TestServerCertificate:
    def test_it_names_address_domain_and_sip_uri(self, tmp_path: Path) -> None:
        certificate = load(issue(tmp_path).certificate)
        certificate.verify_directly_issued_by(load(tmp_path / "ca.pem"))
        assert list(names(certificate)) == [
            x509.IPAddress(IPv4Address("127.0.60.1")),
            x509.DNSName("asterisk.lab.trunkline.test"),
            x509.UniformResourceIdentifier("sip:asterisk.lab.trunkline.test"),
        ]
        assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc

    def test_an_expired_one_is_over_and_signed_by_the_authority(self, tmp_path: Path) -> None:
        certificate = load(issue(tmp_path, CertificateKind.EXPIRED).certificate)
        certificate.verify_directly_issued_by(load(tmp_path / "ca.pem"))
        assert certificate.not_valid_after_utc < NOW

    def test_one_with_another_name_has_none_of_the_peers(self, tmp_path: Path) -> None:
        certificate = load(issue(tmp_path, CertificateKind.OTHER_NAME).certificate)
        certificate.verify_directly_issued_by(load(tmp_path / "ca.pem"))
        assert names(certificate).get_values_for_type(x509.IPAddress) == []
        assert names(certificate).get_values_for_type(x509.DNSName) == [
            "sip.other-customer.example"
        ]

    def test_a_self_signed_one_is_not_from_the_authority(self, tmp_path: Path) -> None:
        certificate = load(issue(tmp_path, CertificateKind.SELF_SIGNED).certificate)
        certificate.verify_directly_issued_by(certificate)
        with pytest.raises((InvalidSignature, ValueError)):
            certificate.verify_directly_issued_by(load(tmp_path / "ca.pem"))

    @pytest.mark.parametrize("kind", CertificateKind)
    def test_it_is_kept_while_it_serves(self, tmp_path: Path, kind: CertificateKind) -> None:
        first = issue(tmp_path, kind).certificate.read_bytes()
        again = issue(tmp_path, kind, now=NOW + timedelta(days=100)).certificate.read_bytes()
        assert again == first

    def test_it_is_made_anew_before_it_expires(self, tmp_path: Path) -> None:
        issue(tmp_path)
        late = NOW + timedelta(days=390)
        assert load(issue(tmp_path, now=late).certificate).not_valid_after_utc > late

    def test_it_is_made_anew_for_another_address(self, tmp_path: Path) -> None:
        issue(tmp_path)
        moved = Authority.open(tmp_path, NOW).server_pair(
            "asterisk", "127.0.61.1", CertificateKind.VALID
        )
        addresses = names(load(moved.certificate)).get_values_for_type(x509.IPAddress)
        assert addresses == [IPv4Address("127.0.61.1")]

    def test_it_is_made_anew_by_another_authority(self, tmp_path: Path) -> None:
        issue(tmp_path)
        (tmp_path / "ca.pem").unlink()
        load(issue(tmp_path).certificate).verify_directly_issued_by(load(tmp_path / "ca.pem"))

    def test_a_valid_one_takes_the_place_of_an_expired_one(self, tmp_path: Path) -> None:
        issue(tmp_path, CertificateKind.EXPIRED)
        assert load(issue(tmp_path).certificate).not_valid_after_utc > NOW


def test_the_clients_certificate_is_signed_by_the_authority(tmp_path: Path) -> None:
    pair = Authority.open(tmp_path, NOW).client_pair()
    certificate = load(pair.certificate)
    certificate.verify_directly_issued_by(load(tmp_path / "ca.pem"))
    assert names(certificate).get_values_for_type(x509.DNSName) == ["client.lab.trunkline.test"]
