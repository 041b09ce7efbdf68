"""What a session description says of a call's audio: its codecs, and whether it is encrypted.

Lighter than `sip.sdp` and unjudging, because it runs for each INVITE of an operator's traffic.
Sources: RFC 8866 5.14, RFC 4568 and RFC 5764 (what makes media secure), RFC 5621 (several parts).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from domain.codecs import codecs_in_sdp

__all__ = ["MediaSeen", "media_of"]

MAX_CODECS = 12  # names kept; a telephone offers about ten

_AUDIO = re.compile(r"^m=audio[ \t]++([0-9]++)[^ \t]*+[ \t]++([^ \t\r\n]++)", re.MULTILINE)
_PART_END = b"\r\n--"
# A proxy passes a description on as it is, so the next message has the same; at most 1 MB.
_REMEMBERED = 256
_REMEMBERED_LENGTH = 4_096


class MediaSeen(NamedTuple):
    """The audio of a description, codecs in the peer's order; none when it is refused.

    ``secure``: its RTP profile is a secure one, so both ends encrypt.
    """

    codecs: tuple[str, ...]
    secure: bool


def media_of(content_type: str | None, body: bytes) -> MediaSeen | None:
    """The audio in a body; None when there is no session description with audio in it."""
    if content_type is None or len(body) > _REMEMBERED_LENGTH:
        return _media_of(content_type, body)
    return _remembered(content_type, body)


def _media_of(content_type: str | None, body: bytes) -> MediaSeen | None:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        start = body.find(b"\nv=0")
        body = body[start + 1 :].partition(_PART_END)[0] if start >= 0 else b""
    elif kind != "application/sdp":
        return None
    text = body.decode("utf-8", "replace")
    audio = _AUDIO.search(text)
    if audio is None:
        return None
    if not audio[1].strip("0"):
        return MediaSeen((), False)
    return MediaSeen(codecs_in_sdp(text)[:MAX_CODECS], "SAVP" in audio[2].upper())


_remembered = lru_cache(_REMEMBERED)(_media_of)
