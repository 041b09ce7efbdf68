"""What a session description offers, in a few words: codecs, security, direction."""

from __future__ import annotations

from domain.codecs import codec_name
from domain.replies import shown
from sip.errors import RemoteProtocolError
from sip.media_agreement import SECURE_PROFILES, effective_direction, voice_formats
from sip.sdp import Media, SessionDescription, parse_sdp
from sip.sdp_attributes import Direction

__all__ = ["sdp_badge"]

_MOST_CODECS = 3
_PART_END = b"\r\n--"


def sdp_badge(content_type: str | None, body: bytes) -> str | None:
    """Such as ``SDP PCMU PCMA SRTP``; ``None`` when there is no session description.

    A body of several parts (RFC 5621) counts with the description inside it.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        start = body.find(b"\nv=0")
        if start < 0:
            return None
        body = body[start + 1 :].partition(_PART_END)[0]
    elif kind != "application/sdp":
        return None
    if not body.strip():
        return None
    try:
        return _words(parse_sdp(body))
    except RemoteProtocolError:
        return "SDP unreadable"


def _words(description: SessionDescription) -> str:
    audio = next((media for media in description.media if media.kind == "audio"), None)
    if audio is None:
        return "SDP without audio"
    if not audio.port:
        return "SDP audio refused"
    names = list(dict.fromkeys(codec_name(each.encoding) for each in voice_formats(audio)))
    words = ["SDP", *map(shown, names[:_MOST_CODECS])]
    if len(names) > _MOST_CODECS:
        words.append(f"+{len(names) - _MOST_CODECS}")
    if security := _security(audio):
        words.append(security)
    direction = effective_direction(description, audio)
    if direction is not Direction.SENDRECV:
        words.append(direction)
    return " ".join(words)


def _security(audio: Media) -> str | None:
    if audio.has("crypto"):
        return "SRTP" if audio.protocol.upper() in SECURE_PROFILES else "SRTP optional"
    if "SAVP" in audio.protocol.upper():
        return "DTLS-SRTP" if audio.protocol.upper().startswith("UDP/TLS/") else "SRTP"
    return None
