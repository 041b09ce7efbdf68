"""The confirmed date of a port as a calendar file (iCalendar, RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["MEDIA_TYPE", "calendar_file"]

MEDIA_TYPE: Final = "text/calendar"

DURATION: Final = timedelta(hours=1)
_MAX_LINE: Final = 75
"""Octets of a line before it is folded (RFC 5545 section 3.1)."""


def calendar_file(
    uid: str,
    *,
    starts_at: datetime,
    summary: str,
    description: str,
    made_at: datetime,
    sequence: int = 0,
) -> str:
    """One event of an hour, which a newer ``sequence`` of the same ``uid`` replaces.

    Moments are aware. Texts may hold anything; lines end in CRLF.
    """
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Trunkline//Number porting//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(uid)}",
        f"DTSTAMP:{_moment(made_at)}",
        f"DTSTART:{_moment(starts_at)}",
        f"DTEND:{_moment(starts_at + DURATION)}",
        f"SEQUENCE:{sequence}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(description)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    r"""Backslash, comma, semicolon and line breaks as ``\\``, ``\,``, ``\;`` and ``\n`` (3.3.11)."""
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    lines = "\\n".join(escaped.splitlines())
    return "".join(each for each in lines if each.isprintable())


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, of which all but the first begin with a space."""
    piece, size = "", 0
    for each in line:
        octets = len(each.encode())
        if size + octets > _MAX_LINE:
            yield piece
            piece, size = " ", 1
        piece, size = piece + each, size + octets
    yield piece
