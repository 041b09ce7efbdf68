"""Numbers and widths of text for ladders."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

__all__ = ["BOLD", "clock", "fitting", "repeated", "span", "width_of", "wrapped", "xml_text"]

# The widths of DejaVu Sans, the widest of the usual fonts, in units of its size.
_NARROW = frozenset("iljtfrI .,:;|!'()[]-/")
_WIDE = frozenset("mwMW@%")
BOLD = 1.12
"""How much wider bold text is."""
_XML_CONTROLS = frozenset("\t\n\r")


def clock(at: datetime) -> str:
    """The time of day in UTC, to the millisecond."""
    return at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def span(milliseconds: float) -> str:
    """A length of time as people say it: `0.4 ms`, `87 ms`, `1.25 s`, `2 min 5 s`.

    A clock that was set back makes no time of less than nothing.
    """
    if milliseconds < 10:
        return f"{max(0.0, milliseconds):.1f} ms"
    if round(milliseconds) < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_995:
        return f"{milliseconds / 1000:.2f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


def repeated(count: int, milliseconds: float) -> str:
    """How often the same message went and within which time: the count behind a multiplication sign."""
    return f"\N{MULTIPLICATION SIGN}{count} in {span(milliseconds)}"


def width_of(text: str, size: float) -> float:
    """About how wide text of a sans font is, in the unit of its size; seldom too little."""
    return size * sum(map(_advance, text))


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    if character in _NARROW:
        return 0.36
    if character in _WIDE:
        return 0.95
    return 0.72 if character.isupper() else 0.62


def fitting(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where it would be wider than `width`."""
    if width_of(text, size) <= width:
        return text
    room = width - size
    kept = 0
    for character in text:
        room -= size * _advance(character)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The text on as many lines as it takes, broken behind commas; a part that is too wide is cut."""
    lines: list[str] = []
    for part in text.split(", "):
        if lines and width_of(f"{lines[-1]}, {part},", size) <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return [fitting(line, size, width) for line in lines]


def xml_text(text: str) -> str:
    """Text as the content of an XML element or a quoted attribute (XML 1.0 section 2.2)."""
    allowed = "".join(c if _is_xml(c) else "\N{REPLACEMENT CHARACTER}" for c in text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        allowed = allowed.replace(character, entity)
    return allowed


def _is_xml(character: str) -> bool:
    code = ord(character)
    if code < 0x20:
        return character in _XML_CONTROLS
    return not (0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF))
