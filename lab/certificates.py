"""The lab's certificate authority, and the certificates that its peers show.

Everything lives as PEM files in one folder and is kept from run to run, so that a trust store that
was given ``ca.pem`` once stays right. Keys are readable by their owner alone.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.behaviour import CertificateKind

__all__ = ["Authority", "KeyPair", "lab_domain", "write_file"]

CA_VALIDITY = timedelta(days=3650)
LEAF_VALIDITY = timedelta(days=397)
"""As long as public authorities may issue for (CA/Browser Forum's limit of 2020)."""
RENEW_BEFORE = timedelta(days=30)
BACKDATED = timedelta(days=1)
"""Certificates begin in the past, so that a peer with a late clock accepts them."""

FOREIGN_NAME = "sip.other-customer.example"
"""What the certificate with the wrong name is issued to."""


def lab_domain(name: str) -> str:
    """Domain of a peer or of the lab's client in its certificate."""
    return f"{name}.lab.trunkline.test"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder; use ``open`` to make or find one."""

    def __init__(
        self,
        directory: Path,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        now: datetime,
    ) -> None:
        self._directory = directory
        self._certificate = certificate
        self._key = key
        self._now = now

    @classmethod
    def open(cls, directory: Path, now: datetime | None = None) -> Authority:
        """The authority kept in ``directory``, or a new one when there is none of use.

        Raises ``OSError`` when the folder or its files cannot be read or written.
        """
        now = now or datetime.now(UTC)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pair = KeyPair(directory / "ca.pem", directory / "ca.key")
        found = _load(pair)
        if found is not None and found[0].not_valid_after_utc > now + RENEW_BEFORE:
            return cls(directory, *found, now)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _common_name("Trunkline lab CA")
        certificate = (
            _builder(name, name, key.public_key(), now - BACKDATED, now + CA_VALIDITY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _save(pair, certificate, key)
        return cls(directory, certificate, key, now)

    @property
    def ca_file(self) -> Path:
        """The authority's certificate, for a trust store."""
        return self._directory / "ca.pem"

    def server_pair(self, name: str, address: str, kind: CertificateKind) -> KeyPair:
        """The certificate that the peer ``name`` at ``address`` shows.

        It names the address, ``DNS:`` and ``URI:sip:`` the peer's domain (RFC 5922 section 7.1),
        but for ``OTHER_NAME``, which names a stranger. Raises ``OSError``.
        """
        domain = FOREIGN_NAME if kind is CertificateKind.OTHER_NAME else lab_domain(name)
        names: list[x509.GeneralName] = [
            x509.DNSName(domain),
            x509.UniformResourceIdentifier(f"sip:{domain}"),
        ]
        if kind is not CertificateKind.OTHER_NAME:
            names.insert(0, x509.IPAddress(ipaddress.ip_address(address)))
        return self._pair(name, domain, names, kind)

    def client_pair(self, name: str = "client") -> KeyPair:
        """A certificate for a client of peers that demand one. Raises ``OSError``."""
        domain = lab_domain(name)
        names = [x509.DNSName(domain), x509.UniformResourceIdentifier(f"sip:{domain}")]
        return self._pair(name, domain, names, CertificateKind.VALID)

    def _pair(
        self, name: str, domain: str, names: Sequence[x509.GeneralName], kind: CertificateKind
    ) -> KeyPair:
        pair = KeyPair(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        wanted = x509.SubjectAlternativeName(names)
        found = _load(pair)
        if found is not None and self._still_fits(found[0], wanted, kind):
            return pair
        key = ec.generate_private_key(ec.SECP256R1())
        self_signed = kind is CertificateKind.SELF_SIGNED
        subject = _common_name(domain)
        end = self._now + LEAF_VALIDITY
        if kind is CertificateKind.EXPIRED:
            end = self._now - BACKDATED
        certificate = (
            _builder(
                subject,
                subject if self_signed else self._certificate.subject,
                key.public_key(),
                end - LEAF_VALIDITY - BACKDATED,
                end,
            )
            .add_extension(wanted, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    (key if self_signed else self._key).public_key()
                ),
                critical=False,
            )
            .sign(key if self_signed else self._key, hashes.SHA256())
        )
        _save(pair, certificate, key)
        return pair

    def _still_fits(
        self, leaf: x509.Certificate, wanted: x509.SubjectAlternativeName, kind: CertificateKind
    ) -> bool:
        issuer = leaf if kind is CertificateKind.SELF_SIGNED else self._certificate
        try:
            leaf.verify_directly_issued_by(issuer)
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
            return False
        if kind is CertificateKind.EXPIRED:
            in_time = leaf.not_valid_after_utc < self._now
        else:
            in_time = leaf.not_valid_after_utc > self._now + RENEW_BEFORE
        return in_time and names.value == wanted


def write_file(path: Path, data: bytes, *, mode: int) -> None:
    """Write a whole file at once, with ``mode`` from its first moment on. Raises ``OSError``."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _load(pair: KeyPair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """What the files hold; ``None`` when they are missing, broken or do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = serialization.load_pem_private_key(pair.key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    if certificate.public_key() != key.public_key():
        return None
    return certificate, key


def _save(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_file(pair.key, private, mode=0o600)
    write_file(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
