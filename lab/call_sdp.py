"""The session descriptions of one telephone at a peer, and the SRTP keys that they agree on."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from lab.call_manner import HeaderFields, MediaManner
from sip.errors import RemoteProtocolError
from sip.media_agreement import Negotiation, Problem, ProblemKind, Side
from sip.negotiation import negotiated
from sip.offer_answer import MediaCapabilities, SrtpPolicy, answer_to, build_offer
from sip.sdes import CryptoSuite, new_crypto_attributes
from sip.sdp import SessionDescription, parse_sdp
from sip.srtp import SrtpSession, SrtpSuite

__all__ = ["Agreement", "OfferRefused", "SessionDescriber"]

SUITES = tuple(CryptoSuite)

# RFC 3261 section 20.43.
_WARNINGS = {
    ProblemKind.NO_COMMON_CODEC: (305, "Incompatible media format"),
    ProblemKind.NO_AUDIO: (304, "Media type not available"),
    ProblemKind.NO_ADDRESS: (301, "Incompatible network address formats"),
}
_INCOMPATIBLE_TRANSPORT = (302, "Incompatible transport protocol")


class OfferRefused(Exception):
    """An offer that the peer cannot take; ``fields`` go into the 488."""

    def __init__(self, fields: HeaderFields) -> None:
        super().__init__("the offer was refused")
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Agreement:
    """What offer and answer came to; ``srtp`` is there when the media is encrypted."""

    negotiation: Negotiation
    srtp: SrtpSession | None


class SessionDescriber:
    """Answers offers, makes some, and reads answers (RFC 3264). ``shown`` is the address in SDP."""

    def __init__(self, manner: MediaManner, shown: str, rtp_port: int) -> None:
        self._manner = manner
        crypto = (
            new_crypto_attributes(SUITES, secrets.token_bytes)
            if manner.srtp is not SrtpPolicy.OFF
            else ()
        )
        self._capabilities = MediaCapabilities(
            manner.codecs, shown, rtp_port, srtp=manner.srtp, crypto=crypto, dtmf=manner.dtmf
        )
        self._session_id = secrets.randbelow(2**31)
        self._version = 0
        self._own: SessionDescription | None = None

    def answer(self, body: bytes) -> tuple[bytes, Agreement | None]:
        """The answer to an offer, and what is agreed: nothing when it refuses the stream.

        Raises ``OfferRefused``.
        """
        offer = _parsed(body)
        self._version += 1
        answer = answer_to(
            offer,
            self._capabilities,
            session_id=self._session_id,
            session_version=self._version,
        )
        if not answer.is_acceptable and not self._manner.refuses_by_answer:
            raise OfferRefused(_warning(answer.problems, self._capabilities.address))
        self._own = answer.description
        return answer.description.serialize(), self._agreed(
            negotiated(offer, answer.description, local=Side.ANSWERER)
        )

    def offer(self) -> bytes:
        """An offer, or the next one in the session."""
        self._version += 1
        self._own = build_offer(
            self._capabilities,
            session_id=self._session_id,
            session_version=self._version,
            previous=self._own,
        )
        return self._own.serialize()

    def accept(self, body: bytes) -> Agreement | None:
        """What the answer to the last offer agrees on; ``None`` when no media can flow.

        Raises ``OfferRefused`` when it is no session description.
        """
        assert self._own is not None
        return self._agreed(negotiated(self._own, _parsed(body), local=Side.OFFERER))

    def _agreed(self, negotiation: Negotiation) -> Agreement | None:
        if not negotiation.is_usable or negotiation.remote_rtp is None:
            return None
        keys = negotiation.srtp
        if keys is None:
            return Agreement(negotiation, None)
        used = keys.local.key
        if self._manner.shows_another_key:
            used = secrets.token_bytes(len(used))
        suite = SrtpSuite(keys.suite.value)
        srtp = SrtpSession(suite, local_key=used, remote_key=keys.remote.key)
        return Agreement(negotiation, srtp)


def _parsed(body: bytes) -> SessionDescription:
    try:
        return parse_sdp(body)
    except RemoteProtocolError as error:
        raise OfferRefused(()) from error


def _warning(problems: tuple[Problem, ...], agent: str) -> HeaderFields:
    code, text = _WARNINGS.get(problems[0].kind, _INCOMPATIBLE_TRANSPORT)
    return (("Warning", f'{code} {agent} "{text}"'),)
