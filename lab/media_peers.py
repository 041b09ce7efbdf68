"""The peers that differ in SDP and in what they say once a call is up."""

from __future__ import annotations

from lab.behaviour import Behaviour
from lab.call_manner import CallManner, MediaManner, Sound
from lab.catalogue_entry import TCP, TLS, UDP, CataloguePeer
from lab.identities import ASTERISK, LAB
from sip.offer_answer import SrtpPolicy
from sip.sdp_attributes import AudioCodec

__all__ = ["MEDIA_PEERS"]

GSM = AudioCodec("GSM", 8000, 3)


def _talks(media: MediaManner) -> Behaviour:
    return Behaviour(ports=(UDP, TCP), identity=LAB, calls=CallManner(media=media))


MEDIA_PEERS = (
    CataloguePeer(
        "no-codec",
        54,
        "Speaks GSM alone: 488 to everybody who does not.",
        _talks(MediaManner(codecs=(GSM,))),
    ),
    CataloguePeer(
        "srtp-required",
        55,
        "Takes SRTP alone: 488 to an offer of plain RTP.",
        _talks(MediaManner(srtp=SrtpPolicy.REQUIRED)),
    ),
    CataloguePeer(
        "srtp-refused",
        56,
        "Knows no SRTP: 488 to an offer of it.",
        _talks(MediaManner(srtp=SrtpPolicy.OFF)),
    ),
    CataloguePeer(
        "stream-refused",
        57,
        "Knows no SRTP and answers an offer of it all the same, with 200 and port 0.",
        _talks(MediaManner(srtp=SrtpPolicy.OFF, refuses_by_answer=True)),
    ),
    CataloguePeer(
        "wrong-srtp-key",
        58,
        "Encrypts with another key than that in its SDP.",
        _talks(MediaManner(shows_another_key=True)),
    ),
    CataloguePeer(
        "tls-srtp",
        59,
        "Listens for TLS alone and takes SRTP alone.",
        Behaviour(
            ports=(TLS,),
            identity=ASTERISK,
            calls=CallManner(media=MediaManner(srtp=SrtpPolicy.REQUIRED)),
        ),
    ),
    CataloguePeer(
        "one-way-audio",
        60,
        "Answers and sends no RTP.",
        _talks(MediaManner(sound=Sound.NOTHING)),
    ),
    CataloguePeer(
        "silence",
        61,
        "Answers and sends digital silence.",
        _talks(MediaManner(sound=Sound.SILENCE)),
    ),
    CataloguePeer(
        "echo",
        62,
        "Answers and says back what it hears.",
        _talks(MediaManner(sound=Sound.ECHO)),
    ),
    CataloguePeer(
        "private-sdp",
        63,
        "Shows 10.20.30.40 in SDP and Contact, as a PBX behind a NAT.",
        _talks(MediaManner(shown_address="10.20.30.40")),
    ),
    CataloguePeer(
        "no-dtmf",
        64,
        "Answers without telephone-event.",
        _talks(MediaManner(dtmf=False)),
    ),
)
