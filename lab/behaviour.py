"""What a fake peer does, as data: one switch for each failure that a user can meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from lab.call_manner import CallManner, HeaderFields
from sip.digest import Algorithm
from sip.digest_server import NONCE_LIFETIME

__all__ = [
    "Behaviour",
    "CallManner",
    "CertificateKind",
    "DigestDemand",
    "HeaderFields",
    "Manner",
    "Port",
    "Refusal",
    "SystemIdentity",
    "TlsManner",
    "Transport",
]


class Transport(StrEnum):
    """What a port speaks, in the spelling of Via."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"


class Manner(StrEnum):
    """What happens to bytes that reach a port."""

    SIP = "sip"
    """They are handled by a SIP stack."""
    MUTE = "mute"
    """They are taken and never answered; a TLS handshake is not answered either."""
    GARBAGE = "garbage"
    """They are answered with bytes that are no SIP: HTTP over TCP, random ones elsewhere."""
    HANGS_UP = "hangs up"
    """The connection is accepted, and closed when the first of them arrive."""
    FILTERED = "filtered"
    """They never arrive: connecting gets no answer, as behind a firewall that drops packets."""


class CertificateKind(StrEnum):
    """What is wrong with the certificate that a TLS port shows."""

    VALID = "valid"
    EXPIRED = "expired"
    OTHER_NAME = "other name"
    SELF_SIGNED = "self-signed"


@dataclass(frozen=True, slots=True)
class TlsManner:
    """How a TLS port shakes hands.

    ``old_only`` offers TLS 1.0 and 1.1 and nothing newer; ``client_certificate`` demands a
    certificate of the lab's authority from the client.
    """

    certificate: CertificateKind = CertificateKind.VALID
    old_only: bool = False
    client_certificate: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a peer; ``tls`` counts only where the transport is TLS."""

    transport: Transport
    number: int
    manner: Manner = Manner.SIP
    tls: TlsManner = field(default=TlsManner())


@dataclass(frozen=True, slots=True)
class SystemIdentity:
    """By what a SIP system can be recognized.

    ``banner`` is its Server or User-Agent field and stands in every response. ``capabilities`` are
    the other fields of its 200 to OPTIONS, in its own order and spelling. ``sdp`` is the body of
    that 200, with ``{address}`` where the system writes its own. ``tag_shape`` is the pattern of its
    To tag: ``x`` stands for a hex digit, ``X`` for one in upper case.
    """

    banner: HeaderFields = ()
    capabilities: HeaderFields = ()
    sdp: str | None = None
    tag_shape: str = "xxxxxxxxxx"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The final response that every request gets, whatever it asks."""

    status: int
    header_fields: HeaderFields = ()


@dataclass(frozen=True, slots=True)
class DigestDemand:
    """The account whose digest credentials OPTIONS and INVITE need (RFC 3261 section 22).

    One challenge for each of ``algorithms``, in this order (RFC 8760 section 2.3: the preferred
    first). ``proxy`` asks by 407 instead of 401. A nonce is good for ``nonce_lifetime``.
    ``within_calls`` asks for them in the BYE of a call too.
    """

    realm: str
    username: str
    password: str
    algorithms: tuple[Algorithm, ...] = (Algorithm.SHA_256, Algorithm.MD5)
    proxy: bool = False
    nonce_lifetime: timedelta = NONCE_LIFETIME
    within_calls: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that makes one peer differ from another.

    ``found_only_without_user``: an OPTIONS whose Request-URI has a user part is for that user, whom
    the peer does not know. ``answers_from_neighbour``: replies to UDP leave from the next higher
    address, as on a host with several. ``delay`` passes before the answer to OPTIONS and before the
    second response to INVITE. ``never_finishes``: OPTIONS and INVITE are answered with 100 and
    nothing else, ever. ``calls`` is what happens to an INVITE that all of this lets in.
    """

    ports: tuple[Port, ...]
    identity: SystemIdentity
    refusal: Refusal | None = None
    digest: DigestDemand | None = None
    delay: timedelta = timedelta(0)
    found_only_without_user: bool = False
    answers_from_neighbour: bool = False
    never_finishes: bool = False
    calls: CallManner = field(default=CallManner())
