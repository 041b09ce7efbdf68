"""Audio codecs: the contract's names, what people and SDP call them, and the codecs of an SDP body.

Sources: public contract section 2 (names); RFC 3551 6 (static payload types), RFC 8866 6.6 (rtpmap),
RFC 7587 7 (Opus), RFC 3551 4.5.2 (G.722 has an RTP clock of 8000 although it samples at 16000).
"""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Codec", "CodecEvidence", "codec_name", "codecs_in_sdp", "parse_codec"]

MAX_SDP = 65_536  # characters; what the SIP parser lets through as a body
MAX_LINES = 1_000
MAX_CODECS = 32  # names kept of one body; a telephone offers about ten

_SEPARATORS = re.compile(r"[\s._-]+")


class Codec(StrEnum):
    """The codecs that a number's configuration orders and enables (contract section 2)."""

    PCMU = "PCMU"
    PCMA = "PCMA"
    G729 = "G.729"
    OPUS = "Opus"
    G722 = "G.722"

    @property
    def encoding(self) -> str:
        """Encoding name in an rtpmap attribute."""
        return _RTPMAP[self][0]

    @property
    def clock_rate(self) -> int:
        """RTP clock rate in Hz."""
        return _RTPMAP[self][1]

    @property
    def payload_type(self) -> int | None:
        """Static payload type (RFC 3551 6); None for a dynamic one."""
        return _RTPMAP[self][2]


class CodecEvidence(StrEnum):
    """How far a list of codecs can be trusted."""

    ADVERTISED = "advertised"  # the peer named them
    PROVEN = "proven"  # media was received in them
    UNKNOWN = "unknown"  # the peer named none


_RTPMAP: dict[Codec, tuple[str, int, int | None]] = {
    Codec.PCMU: ("PCMU", 8000, 0),
    Codec.PCMA: ("PCMA", 8000, 8),
    Codec.G729: ("G729", 8000, 18),
    Codec.OPUS: ("opus", 48000, None),
    Codec.G722: ("G722", 8000, 9),
}

_ALIASES = {
    "pcmu": Codec.PCMU,
    "ulaw": Codec.PCMU,
    "mulaw": Codec.PCMU,
    "\u00b5law": Codec.PCMU,  # micro sign
    "\u03bclaw": Codec.PCMU,  # Greek letter mu
    "g711u": Codec.PCMU,
    "g711ulaw": Codec.PCMU,
    "g711mulaw": Codec.PCMU,
    "pcma": Codec.PCMA,
    "alaw": Codec.PCMA,
    "g711a": Codec.PCMA,
    "g711alaw": Codec.PCMA,
    "g729": Codec.G729,
    "g729a": Codec.G729,
    "g729b": Codec.G729,
    "g729ab": Codec.G729,
    "opus": Codec.OPUS,
    "g722": Codec.G722,
}

_STATIC_PAYLOAD_TYPES = {
    0: "PCMU",
    3: "GSM",
    4: "G723",
    5: "DVI4",
    6: "DVI4",
    7: "LPC",
    8: "PCMA",
    9: "G722",
    10: "L16",
    11: "L16",
    12: "QCELP",
    13: "CN",
    15: "G728",
    16: "DVI4",
    17: "DVI4",
    18: "G729",
}

# Payload formats that carry no voice of their own: DTMF, comfort noise, redundancy, retransmission.
_NOT_VOICE = frozenset({"telephone-event", "tone", "cn", "red", "rtx", "ulpfec", "parityfec"})


def parse_codec(text: str) -> Codec | None:
    """The contract's codec that ``text`` names, or None.

    Case, punctuation, clock rate and channels do not matter: ``G729``, ``g722/8000``,
    ``opus/48000/2``, ``G.711 u-law``.
    """
    return _ALIASES.get(_SEPARATORS.sub("", text.partition("/")[0].lower()))


def codec_name(encoding: str) -> str:
    """The name to show for an encoding: the contract's, or the encoding's own in upper case."""
    known = parse_codec(encoding)
    return known.value if known else encoding.partition("/")[0].strip().upper()


def codecs_in_sdp(body: str) -> tuple[str, ...]:
    """Voice codecs of all ``m=audio`` lines of an SDP body, in the peer's order, each once.

    Reads what an answer to OPTIONS may advertise, so a rejected stream (port 0) counts too. Never
    raises: what is not SDP yields nothing. Dynamic payload types without an rtpmap are skipped.
    """
    offered: list[tuple[int, int]] = []
    names: dict[tuple[int, int], str] = {}
    section = -1
    audio = False
    for line in body[:MAX_SDP].splitlines()[:MAX_LINES]:
        kind, _, value = line.partition("=")
        if kind == "m":
            section += 1
            media = value.split()
            audio = len(media) > 3 and media[0].lower() == "audio"
            if audio:
                offered += [
                    (section, number) for number in map(_payload_type, media[3:]) if number >= 0
                ]
        elif kind == "a" and audio and value.lower().startswith("rtpmap:"):
            number_text, _, encoding = value[len("rtpmap:") :].strip().partition(" ")
            names[section, _payload_type(number_text)] = encoding.strip()
    found: dict[str, None] = {}
    for key in offered:
        encoding = names.get(key) or _STATIC_PAYLOAD_TYPES.get(key[1], "")
        name = encoding.partition("/")[0].strip()
        if _is_token(name) and name.lower() not in _NOT_VOICE:
            found.setdefault(codec_name(name))
    return tuple(found)[:MAX_CODECS]


def _payload_type(text: str) -> int:
    """0 to 127, or -1 for what is none."""
    if len(text) <= 3 and text.isascii() and text.isdigit() and int(text) <= 127:
        return int(text)
    return -1


def _is_token(text: str) -> bool:
    return 0 < len(text) <= 32 and text.isascii() and text.isprintable() and " " not in text
