"""TLS towards SIP peers: contexts, and the facts of a certificate.

Chains are verified by OpenSSL and names by RFC 5922: a subjectAltName of type DNS or URI against
the domain that was asked for, or an address against an iPAddress entry. A peer that fails is
reported with its facts; whether to go on talking to it is the caller's decision.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import ssl
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from sip.net.tls_credentials import load_client, pin_problem
from sip.tls_facts import CertificateFacts, TlsFacts
from sip.tls_identity import ClientCertificate

__all__ = [
    "CertificateFacts",
    "TlsFacts",
    "TlsProblem",
    "TlsProfile",
    "certificate_facts",
    "client_context",
    "matches_name",
    "tls_problem",
]

_Authorities = tuple[str | None, int, str | None]

MAX_NAME = 512
"""Characters kept of a name: more than any domain has, so that no part of one can match."""

MAX_SUBJECT_NAMES = 64
"""Names kept of one certificate: a shared certificate may carry hundreds."""


@dataclass(frozen=True, slots=True)
class TlsProfile:
    """How to speak TLS to a peer; two connections with equal profiles may be shared.

    ``server_name`` is the domain asked for: it goes into SNI and is what the certificate must name.
    The authorities of ``ca_file`` and ``ca_pem`` are trusted beside the system's. ``pin`` is the
    SHA-256 of the peer's certificate or of its public key (SubjectPublicKeyInfo) in lower-case hex;
    it is asked for beside a chain and a name that verify. ``client`` is shown to a peer that asks.
    """

    server_name: str
    verify: bool = True
    ca_file: str | None = None
    ca_pem: str | None = None
    pin: str | None = None
    client: ClientCertificate | None = None


class TlsProblem(StrEnum):
    """Why a handshake failed, as far as it can be told."""

    OLD_VERSION = "old_version"
    NOT_TLS = "not_tls"
    UNTRUSTED = "untrusted"
    CLIENT_CERTIFICATE = "client_certificate"
    HANDSHAKE = "handshake"


def client_context(profile: TlsProfile, *, diagnose_old: bool = False) -> ssl.SSLContext:
    """Context of an outbound connection, TLS 1.2 at least; shared by equal needs.

    ``diagnose_old`` lowers the floor to TLS 1.0 so that an old peer can be named; nothing of SIP
    may be sent over such a connection. Raises ``OSError`` when the profile's authorities or its
    client certificate cannot be used.
    """
    if diagnose_old:
        return _diagnosing_context()
    authorities: _Authorities | None = None
    if profile.verify:
        # A CA file that the operator replaced counts from the next connection on.
        changed = os.stat(profile.ca_file).st_mtime_ns if profile.ca_file is not None else 0
        authorities = (profile.ca_file, changed, profile.ca_pem)
    if profile.client is None:
        return _shared_context(authorities)
    # Not kept: a key stays in memory no longer than the connections that need it.
    context = _context(authorities)
    load_client(context, profile.client)
    return context


@lru_cache(maxsize=64)
def _shared_context(authorities: _Authorities | None) -> ssl.SSLContext:
    """Kept, because reading the system's authorities blocks the loop for some ten milliseconds."""
    return _context(authorities)


def _context(authorities: _Authorities | None) -> ssl.SSLContext:
    """Context that verifies by the system's authorities and given ones, or not at all."""
    context = _bare_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_default_certs()
        if authorities[0] is not None:
            context.load_verify_locations(cafile=authorities[0])
        if authorities[2] is not None:
            context.load_verify_locations(cadata=authorities[2])
    return context


@lru_cache(maxsize=1)
def _diagnosing_context() -> ssl.SSLContext:
    context = _bare_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Names are matched by RFC 5922, which knows URI entries; OpenSSL's host check does not.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def tls_problem(error: ssl.SSLError) -> TlsProblem:
    """Class of a failed handshake, from OpenSSL's reason code."""
    reason = (error.reason or "").upper()
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsProblem.UNTRUSTED
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return TlsProblem.OLD_VERSION
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason or "HTTP_REQUEST" in reason:
        return TlsProblem.NOT_TLS
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason:
        return TlsProblem.CLIENT_CERTIFICATE
    return TlsProblem.HANDSHAKE


def peer_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """Certificates the peer sent, leaf first, as DER; the leaf alone before Python 3.13."""
    public = getattr(connection, "get_unverified_chain", None)
    if public is not None:
        return tuple(public())
    leaf = connection.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


def tls_facts(
    connection: ssl.SSLObject | ssl.SSLSocket, profile: TlsProfile, failure: str | None = None
) -> TlsFacts:
    """Facts of an established connection; ``failure`` is why its chain did not verify before."""
    cipher = connection.cipher()
    chain = tuple(
        facts for der in peer_chain(connection) if (facts := certificate_facts(der)) is not None
    )
    problem = failure
    notes: tuple[str, ...] = ()
    if problem is None and not profile.verify:
        problem = "not verified"
    if problem is None:
        if not chain:
            problem = "the peer's certificate cannot be read"
        else:
            match = matches_name(chain[0].names, profile.server_name)
            notes = () if match.note is None else (match.note,)
            if not match.matches:
                shown = ", ".join(chain[0].names[:5]) or "no name at all"
                problem = f"the certificate names {shown}, not {profile.server_name}"
    if problem is None:
        problem = pin_problem(connection, profile.pin)
    return TlsFacts(
        version=connection.version() or "unknown",
        cipher=cipher[0] if cipher else "unknown",
        chain=chain,
        verifies=problem is None,
        problem=problem,
        notes=notes,
    )


@dataclass(frozen=True, slots=True)
class NameMatch:
    """Whether a certificate names the domain, and what is odd about it."""

    matches: bool
    note: str | None = None


def matches_name(names: Iterable[str], wanted: str) -> NameMatch:
    """Match subjectAltName entries against a domain or an address (RFC 5922 section 7.2).

    Entries are written ``DNS:name``, ``URI:sip:name`` or ``IP:address``. One left-most wildcard
    label is accepted with a note, although RFC 5922 forbids wildcards: carriers use them.
    """
    wanted = wanted.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        address = None
    wildcard: str | None = None
    for name in names:
        kind, _, value = name.partition(":")
        value = value.rstrip(".").lower()
        if address is not None:
            if kind == "IP" and value == str(address):
                return NameMatch(True)
        elif (kind == "DNS" and value == wanted) or (
            kind == "URI" and value in (f"sip:{wanted}", f"sips:{wanted}")
        ):
            return NameMatch(True)
        elif kind == "DNS" and value.startswith("*.") and value[1:] == wanted[wanted.find(".") :]:
            wildcard = value
    if wildcard is not None:
        return NameMatch(True, f"matched by the wildcard {wildcard}, which RFC 5922 does not allow")
    return NameMatch(False)


def certificate_facts(der: bytes) -> CertificateFacts | None:
    """Facts of one DER certificate; ``None`` when it cannot be parsed."""
    try:
        # It also warns about what it reads all the same, for instance a serial number of zero.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
            return CertificateFacts(
                subject=_common_name(certificate.subject),
                issuer=_common_name(certificate.issuer),
                names=_subject_names(certificate),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                fingerprint=hashlib.sha256(der).hexdigest(),
            )
    except (
        ValueError,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        return None


def _subject_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names: list[str] = []
    for name in extension.value:
        if isinstance(name, x509.DNSName):
            names.append(f"DNS:{_shown(name.value)}")
        elif isinstance(name, x509.UniformResourceIdentifier):
            names.append(f"URI:{_shown(name.value)}")
        elif isinstance(name, x509.IPAddress):
            names.append(f"IP:{name.value}")
    return tuple(names[:MAX_SUBJECT_NAMES])


def _common_name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return _shown(str(common[0].value) if common else name.rfc4514_string())


def _shown(text: str) -> str:
    """Text that can be stored and shown; what had to be changed matches no name any more."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:MAX_NAME])
