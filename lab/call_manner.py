"""What a fake peer does with a call, as data: whom it lets in, its responses, its media, its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sip.offer_answer import SrtpPolicy
from sip.sdp_attributes import PCMA, PCMU, AudioCodec

__all__ = ["ANSWERED", "CallManner", "HeaderFields", "MediaManner", "Refresh", "Sound", "Step"]

HeaderFields = tuple[tuple[str, str], ...]
"""Names and values of header fields, in the order they are sent."""


class Sound(StrEnum):
    """What a peer sends as audio while a call is up."""

    TONE = "tone"
    """A second of a tone that is not the product's, silence behind it and a digit between."""
    SILENCE = "silence"
    NOTHING = "nothing"
    """RTCP and no RTP."""
    ECHO = "echo"
    """What it hears."""


class Refresh(StrEnum):
    """The request by which a peer refreshes a session (RFC 4028 section 7.4)."""

    INVITE = "INVITE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Step:
    """One response of a script, ``wait`` after the one before it.

    ``phone`` is who answers: behind a forking proxy there are several, each with a To tag and media
    of its own. With ``media`` a provisional response carries the SDP answer and early media begins;
    a 2xx always carries it. ``reliable`` waits for a PRACK (RFC 3262).
    """

    status: int
    wait: timedelta = timedelta(0)
    phone: int = 1
    media: bool = False
    reliable: bool = False
    header_fields: HeaderFields = ()


ANSWERED = (
    Step(100),
    Step(180, timedelta(seconds=0.1)),
    Step(200, timedelta(seconds=0.3)),
)
"""A telephone that rings and is answered."""


@dataclass(frozen=True, slots=True)
class MediaManner:
    """What a peer agrees to in SDP, and what it sends.

    ``shown_address`` stands in SDP and Contact where its own should. With ``shows_another_key`` the
    SRTP key in its SDP is not the one it encrypts with. ``refuses_by_answer``: an offer that does
    not fit gets a 200 whose stream has port 0, where others send 488.
    """

    codecs: tuple[AudioCodec, ...] = (PCMU, PCMA)
    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL
    dtmf: bool = True
    sound: Sound = Sound.TONE
    shown_address: str | None = None
    shows_another_key: bool = False
    refuses_by_answer: bool = False


@dataclass(frozen=True, slots=True)
class CallManner:
    """What a peer does with an INVITE.

    First what refuses it: ``refuses_plus`` a Request-URI whose user begins with ``+`` (404),
    ``demands_identity`` one without P-Asserted-Identity (403), ``refuses_extension`` one whose
    Supported or Require names that option tag (420), ``demands_extension`` one where neither does
    (421), ``min_se`` one with a lower Min-SE or without (422, seconds). A reliable step demands
    ``100rel`` by itself.

    Then ``script``, which ends in a final response or goes on for ever; with ``status_by_user`` a
    Request-URI whose user is a status code gets that response instead. Offers are looked at only
    by a script that answers.

    ``answers_cancel``: a CANCEL comes too late, the phone is picked up all the same.
    ``ignores_ack`` and ``ignores_bye``: these never arrive. ``hangs_up_after`` is how long after the
    ACK the peer sends its BYE. ``refreshes`` are its requests in the call, one each half second.
    ``session_expires`` stands in its 200 (RFC 4028, seconds; it refreshes itself).
    """

    script: tuple[Step, ...] = ANSWERED
    media: MediaManner = field(default=MediaManner())
    status_by_user: bool = False
    refuses_plus: bool = False
    demands_identity: bool = False
    refuses_extension: str | None = None
    demands_extension: str | None = None
    min_se: int | None = None
    session_expires: int | None = None
    answers_cancel: bool = False
    ignores_ack: bool = False
    ignores_bye: bool = False
    hangs_up_after: timedelta | None = None
    refreshes: tuple[Refresh, ...] = ()
