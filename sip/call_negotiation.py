"""The offers and answers of one call, from our side, and what they agreed on as facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sip.call_facts import AgreedMedia, OfferFacts
from sip.errors import RemoteProtocolError
from sip.media_agreement import AgreedFormat, Negotiation, ProblemKind, Side
from sip.media_settings import PayloadFormat
from sip.negotiation import negotiated
from sip.offer_answer import MediaCapabilities, SrtpPolicy, answer_to, build_offer
from sip.sdp import SessionDescription, parse_sdp

__all__ = ["Agreement", "CallNegotiation", "payload_format", "voice_format"]

NO_DESCRIPTION: Final = "the answer has no session description"
MAX_PROBLEMS: Final = 16
"""Problems kept of one answer: a hostile one has as many as it has lines."""

MAX_OFFERS: Final = 32
"""Offers of the peer that are answered in one call; session timers make one in some minutes."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an answer means: the facts, and the negotiation unless there was nothing to read."""

    facts: AgreedMedia
    negotiation: Negotiation | None = None


class CallNegotiation:
    """Makes the offer of a call, reads its answers, answers the peer's offers.

    ``moved`` is what the last offer of the peer that was accepted agreed on.
    """

    def __init__(self, capabilities: MediaCapabilities, session_id: int) -> None:
        self.moved: Negotiation | None = None
        self._capabilities = capabilities
        self._session_id = session_id
        self._version = 1
        self._offers_taken = 0
        self._first = build_offer(capabilities, session_id=session_id, session_version=1)
        self._current = self._first

    @property
    def offer(self) -> bytes:
        """The offer of the INVITE."""
        return self._first.serialize()

    def offer_facts(self, size: int) -> OfferFacts:
        """What was offered, in an INVITE of ``size`` octets."""
        own = self._capabilities
        return OfferFacts(
            codecs=tuple(codec.encoding for codec in own.codecs),
            secure=own.srtp is not SrtpPolicy.OFF,
            address=own.address,
            port=own.rtp_port,
            size=size,
        )

    def agree(self, answer: bytes | None) -> Agreement:
        """Read an answer to the offer of the INVITE."""
        if answer is None:
            return Agreement(_failed(NO_DESCRIPTION))
        try:
            description = parse_sdp(answer)
        except RemoteProtocolError as error:
            return Agreement(_failed(f"the answer is no session description: {error.message}"))
        negotiation = negotiated(self._first, description)
        return Agreement(_facts(negotiation, description), negotiation)

    def answer_offer(self, offer: bytes | None) -> bytes | None:
        """Answer an offer of the peer; None refuses it. Without one, make the next of ours."""
        if self._offers_taken >= MAX_OFFERS:
            return None
        self._offers_taken += 1
        if offer is None:
            ours = build_offer(
                self._capabilities,
                session_id=self._session_id,
                session_version=self._version + 1,
                previous=self._current,
            )
            return self._now(ours)
        try:
            theirs = parse_sdp(offer)
        except RemoteProtocolError:
            return None
        answer = answer_to(
            theirs,
            self._capabilities,
            session_id=self._session_id,
            session_version=self._version + 1,
        )
        if not answer.is_acceptable:
            return None
        negotiation = negotiated(theirs, answer.description, local=Side.ANSWERER)
        if not negotiation.is_usable:
            return None
        self.moved = negotiation
        return self._now(answer.description)

    def _now(self, description: SessionDescription) -> bytes:
        """Note our description; one that says the same as before keeps its version (RFC 3264 8)."""
        unchanged = replace(
            description, origin=replace(description.origin, session_version=self._version)
        )
        if unchanged == self._current:
            description = unchanged
        else:
            self._version += 1
        self._current = description
        return description.serialize()


def voice_format(negotiation: Negotiation) -> AgreedFormat | None:
    """The format that we send: the first that can be encoded here, without one the first."""
    for candidate in negotiation.formats:
        if payload_format(candidate).law is not None:
            return candidate
    return negotiation.codec


def payload_format(agreed: AgreedFormat) -> PayloadFormat:
    """The format as the media session numbers it."""
    return PayloadFormat(
        agreed.send_payload_type,
        agreed.encoding.upper(),
        agreed.clock_rate,
        received_as=agreed.receive_payload_type,
    )


def _facts(negotiation: Negotiation, description: SessionDescription) -> AgreedMedia:
    voice = voice_format(negotiation)
    remote = negotiation.remote_rtp
    problems = negotiation.problems[:MAX_PROBLEMS]
    return AgreedMedia(
        codec=voice.encoding if voice else None,
        codecs=tuple(entry.encoding for entry in negotiation.formats),
        packet_time_ms=negotiation.packet_time / timedelta(milliseconds=1),
        direction=str(negotiation.direction),
        suite=str(negotiation.srtp.suite) if negotiation.srtp else None,
        dtmf_payload_type=negotiation.dtmf.send_payload_type if negotiation.dtmf else None,
        address=remote.address if remote else _connection(description),
        port=remote.port if remote else None,
        rtcp_mux=negotiation.rtcp_mux,
        problems=tuple(problem.detail for problem in problems),
        problem_kinds=tuple(problem.kind for problem in problems),
        fatal=not negotiation.is_usable,
    )


def _connection(description: SessionDescription) -> str | None:
    """The address of a description whose stream has none that media can go to."""
    for media in description.media:
        connection = description.connection_of(media)
        if connection is not None:
            return connection.address
    return None if description.connection is None else description.connection.address


def _failed(problem: str) -> AgreedMedia:
    return AgreedMedia(
        codec=None,
        codecs=(),
        packet_time_ms=20.0,
        direction="inactive",
        suite=None,
        dtmf_payload_type=None,
        address=None,
        port=None,
        rtcp_mux=False,
        problems=(problem,),
        problem_kinds=(ProblemKind.NO_AUDIO,),
        fatal=True,
    )
