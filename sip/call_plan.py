"""What a test call is told, and the INVITE and the offer that come of it.

Random parts come in as arguments, so that the same input gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sip.digest import Algorithm
from sip.headers import NameAddr
from sip.offer_answer import MediaCapabilities, SrtpPolicy
from sip.sdes import CryptoSuite, new_crypto_attributes
from sip.sdp_attributes import AUDIO_CODECS, AudioCodec
from sip.session_requests import Credentials, InvitePlan
from sip.tls_identity import ClientCertificate
from sip.transaction import Flow
from sip.uri import SipUri

__all__ = ["CallPlan", "capabilities_of", "invite_plan_of", "our_host", "request_uri_of"]

_FIRST_DYNAMIC: Final = 96
# RFC 3261 section 25.1: user-unreserved and unreserved. An escape that is one already stays.
_NOT_IN_USER: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-_.!~*'()&=+$,;?/%]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """All that the calling user agent needs to know of one test call.

    ``host`` is a name or an address without brackets; without ``port`` and ``transport`` RFC 3263
    chooses. ``request_user`` is the user part of Request-URI and To, ``from_uri_user`` that of From
    and Contact; what a user part cannot hold is escaped. ``from_domain`` None stands for our own
    address. ``asserted`` names P-Asserted-Identity or P-Preferred-Identity and the user in it
    (RFC 3325); ``headers`` go out as they are. ``realm`` pins the digest realm that is answered.
    ``codecs`` are encoding, clock rate in Hz and static payload type, in order of preference.
    ``ca_pem`` and ``ca_file`` are trusted beside the system's authorities; ``exact_tls_names``
    refuses wildcards, ``certificate_pin`` every peer but the pinned one (SHA-256 of certificate or
    public key in hex); ``client_certificate`` is shown to a peer that asks. ``public_address`` is what Via, Contact and SDP show instead of the source
    address. ``ring_seconds`` is from the INVITE to its CANCEL, ``talk_seconds`` from the answer to
    the BYE, ``limit_seconds`` the whole life of the call with everything around it.
    """

    host: str
    port: int | None = None
    transport: str | None = None
    request_user: str | None = None
    from_uri_user: str
    from_domain: str | None = None
    display_name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    asserted: tuple[str, str] | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    realm: str | None = None
    minimum: Algorithm | None = None
    codecs: tuple[tuple[str, int, int | None], ...] = (("PCMU", 8000, 0), ("PCMA", 8000, 8))
    secure_media: bool = False
    allow_sha1_32: bool = False
    ca_pem: str | None = None
    ca_file: str | None = None
    exact_tls_names: bool = False
    certificate_pin: str | None = None
    client_certificate: ClientCertificate | None = None
    verify_tls: bool = True
    user_agent: str
    public_address: str | None = None
    ring_seconds: float = 60.0
    tone_seconds: float = 1.0
    digit: str | None = "1"
    talk_seconds: float = 3.0
    limit_seconds: float = 110.0

    @property
    def credentials(self) -> Credentials | None:
        """What challenges are answered with, None without user or password."""
        if self.username is None or self.password is None:
            return None
        return Credentials(self.username, self.password, self.minimum, self.realm)


def our_host(plan: CallPlan, flow: Flow) -> str:
    """The address that stands for us in Via, Contact and SDP."""
    return plan.public_address or flow.local[0]


def request_uri_of(plan: CallPlan) -> SipUri:
    """The Request-URI: a transport stands in it only when the plan demands TCP or TLS."""
    demanded = (plan.transport or "").lower()
    return SipUri(
        "sip",
        plan.host.lower(),
        _user(plan.request_user),
        port=plan.port,
        params=(("transport", demanded),) if demanded in ("tcp", "tls") else (),
    )


def invite_plan_of(
    plan: CallPlan,
    flow: Flow,
    *,
    call_id: str,
    from_tag: str,
    first_cseq: int,
    offer: bytes,
) -> InvitePlan:
    """The INVITE of a call over a flow (RFC 3261 section 13.2.1)."""
    host = our_host(plan, flow)
    domain = plan.from_domain or host
    user = _user(plan.from_uri_user)
    transport = flow.transport.lower()
    identity: tuple[tuple[str, str], ...] = ()
    if plan.asserted is not None:
        name, asserted = plan.asserted
        identity = ((name, str(NameAddr(SipUri("sip", domain, _user(asserted))))),)
    return InvitePlan(
        target=request_uri_of(plan),
        sender=NameAddr(SipUri("sip", domain, user), plan.display_name),
        from_tag=from_tag,
        call_id=call_id,
        via_host=host,
        via_port=flow.local[1],
        contact=SipUri(
            "sip",
            host,
            user,
            port=flow.local[1],
            params=() if transport == "udp" else (("transport", transport),),
        ),
        user_agent=plan.user_agent,
        offer=offer,
        headers=(*identity, *plan.headers),
        first_cseq=first_cseq,
        ring_seconds=plan.ring_seconds,
        credentials=plan.credentials,
    )


def capabilities_of(
    plan: CallPlan, *, address: str, rtp_port: int, new_key: Callable[[int], bytes]
) -> MediaCapabilities:
    """What we offer; ``new_key`` returns that many random octets.

    Raises LocalProtocolError when the plan's codecs cannot be offered.
    """
    suites = [CryptoSuite.AES_CM_128_HMAC_SHA1_80]
    if plan.allow_sha1_32:
        suites.append(CryptoSuite.AES_CM_128_HMAC_SHA1_32)
    return MediaCapabilities(
        tuple(_codecs(plan)),
        address,
        rtp_port,
        SrtpPolicy.REQUIRED if plan.secure_media else SrtpPolicy.OFF,
        new_crypto_attributes(suites, new_key) if plan.secure_media else (),
    )


def _codecs(plan: CallPlan) -> list[AudioCodec]:
    free = _FIRST_DYNAMIC
    codecs = []
    for encoding, clock_rate, payload_type in plan.codecs:
        codec = AUDIO_CODECS.get(encoding.lower())
        if codec is None or codec.clock_rate != clock_rate:
            number = payload_type
            if number is None:
                number, free = free, free + 1
            codec = AudioCodec(encoding, clock_rate, number)
        codecs.append(codec)
    return codecs


def _user(text: str | None) -> str | None:
    """The text as a user part; an empty one is none."""
    return _NOT_IN_USER.sub(_escaped, text) if text else None


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in found[0].encode("utf-8", "replace"))
