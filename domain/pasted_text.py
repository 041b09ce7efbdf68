"""Makes one line of what people paste: quotes, invisible characters, several lines, phone numbers.

Nothing here knows the parts of a URI; ``destination_text`` takes the line apart.
"""

from __future__ import annotations

import re

from domain.host_names import WHAT_TO_ENTER, DestinationProblem, InvalidDestination, quoted

__all__ = [
    "MAX_INPUT",
    "SIP_SCHEMES",
    "UNSUPPORTED_TRANSPORTS",
    "URI_SCHEMES",
    "WEB_SCHEMES",
    "email_address",
    "one_line",
]

MAX_INPUT = 1024  # characters; the longest valid destination has about 600

SIP_SCHEMES = frozenset({"sip", "sips", "udp", "tcp", "tls"})
WEB_SCHEMES = frozenset({"http", "https"})
UNSUPPORTED_TRANSPORTS = frozenset({"ws", "wss", "sctp", "tls-sctp", "dtls"})
_OTHER_SCHEMES = frozenset(
    {"tel", "mailto", "callto", "skype", "h323", "iax", "iax2", "xmpp", "im", "stun", "stuns"}
    | {"turn", "turns", "ftp", "ssh", "rtsp"}
)
# Words before a colon that are a scheme, not a host name.
URI_SCHEMES = SIP_SCHEMES | WEB_SCHEMES | UNSUPPORTED_TRANSPORTS | _OTHER_SCHEMES

_QUOTES = "\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u2039\u203a"
_INVISIBLE = dict.fromkeys(
    (
        *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2065),
        *range(0x2066, 0x206A),
    )
)
_JOINERS = "\u200c\u200d"
_NO_JOINERS = dict.fromkeys(map(ord, _JOINERS))
_SPACED_DELIMITER = re.compile(r" ?([:;@=/?\[\]]) ?")
_LABEL = re.compile(r"(?P<label>[A-Za-z][A-Za-z ]{0,40}?) ?: (?P<rest>(?![0-9]{1,5}(?:[;/ ]|$)).+)")
_PHONE_CHARACTERS = re.compile(r"[+(]?[0-9][0-9 ().-]*")
_FILLERS = frozenset({"port", "over", "via", "on", "using", "with", "and"})
_SCHEME_OR_PORT = re.compile(
    rf"(?<![^\s,;<{_QUOTES}])(?:{'|'.join(URI_SCHEMES)}):|:[0-9]{{1,5}}(?=[\s,;>])", re.I
)


def one_line(text: str, notes: list[str]) -> str:
    """The one destination in ``text`` without anything around it and without spaces.

    Adds to ``notes`` what was changed. Raises InvalidDestination for nothing, too much, more than
    one, a phone number, or words.
    """
    if len(text) > MAX_INPUT:
        raise InvalidDestination(
            DestinationProblem.TOO_LONG, f"A destination has at most {MAX_INPUT:,} characters."
        )
    line = _unwrap(_clean(text, notes), notes)
    _refuse_phone_number(line)
    if "," in line:
        raise _several(line.split(",", 1)[0].strip(), line)
    compact = _without_spaces(line, notes)
    if not compact:
        raise InvalidDestination(
            DestinationProblem.EMPTY,
            "There is no destination.",
        )
    return compact


def email_address(text: str) -> InvalidDestination:
    """The refusal of an e-mail address."""
    return InvalidDestination(
        DestinationProblem.EMAIL_ADDRESS,
        f"{_quoted(text)} is an e-mail address.",
        suggestion="Enter the host name or address of your provider's or PBX's SIP server.",
    )


def _may_hold_password(text: str) -> bool:
    """Whether a colon that belongs to no scheme and no port stands before an ``@``.

    What holds a password is not repeated, and rather too much than half of one is held back.
    """
    return ":" in _SCHEME_OR_PORT.sub("", text.rpartition("@")[0])


def _quoted(text: str, otherwise: str = "This") -> str:
    return otherwise if _may_hold_password(text) else quoted(text)


def _clean(text: str, notes: list[str]) -> str:
    visible = text.translate(_INVISIBLE)
    visible = "".join(
        character
        for index, character in enumerate(visible)
        if character not in _JOINERS or _joins(visible, index)
    )
    if visible != text:
        notes.append("Invisible characters were removed.")
    lines = [line for line in visible.splitlines() if line.strip()]
    if len(lines) > 1:
        raise _several(lines[0], visible)
    line = " ".join("".join(lines).split())
    if not line.translate(_NO_JOINERS).isprintable():
        raise InvalidDestination(
            DestinationProblem.MALFORMED, f"{_quoted(line)} contains a control character."
        )
    return line.strip(f" ,;{_QUOTES}").rstrip(f" ,;.{_QUOTES}")


def _joins(text: str, index: int) -> bool:
    """A joiner has a meaning only between letters of a script that joins (RFC 5892 A.1)."""
    return (
        0 < index < len(text) - 1
        and not text[index - 1].isascii()
        and not text[index + 1].isascii()
    )


def _unwrap(text: str, notes: list[str]) -> str:
    """Inside of the angle brackets, if there are some."""
    before, bracket, rest = text.partition("<")
    if not bracket:
        return _without_label(text.rstrip("> "), notes)
    inside, _, after = rest.partition(">")
    if "<" in after or after.lstrip().startswith(","):
        raise _several(inside.strip(), text)
    label = before.strip(f" :{_QUOTES}")
    if label:
        notes.append(f"{_quoted(label, 'What stood')} before the address was ignored.")
    if after.strip(f" {_QUOTES}"):
        notes.append("What follows the angle brackets was ignored.")
    return inside.strip(f" {_QUOTES}")


def _without_label(text: str, notes: list[str]) -> str:
    """``SIP server: sip.example.com`` without its label."""
    match = _LABEL.fullmatch(text)
    if match is None or match["label"].lower() in URI_SCHEMES:
        return text
    notes.append(f"{quoted(match['label'])} before the address was ignored.")
    return match["rest"]


def _refuse_phone_number(text: str) -> None:
    scheme, colon, rest = text.partition(":")
    is_uri = bool(colon) and scheme.lower() in ("tel", "sip", "sips", "callto")
    number = (rest if is_uri else text).split(";")[0].strip()
    if is_uri and scheme.lower() in ("tel", "callto") and any(c.isdigit() for c in number):
        raise _phone_number(number)
    if not _PHONE_CHARACTERS.fullmatch(number):
        return
    digits = sum(c.isdigit() for c in number)
    groups = number.split(".")
    written_like_one = number[0] in "+(" or any(c in " ()-" for c in number)
    north_american = [len(group) for group in groups] in ([3, 3, 4], [1, 3, 3, 4])
    too_large_for_ipv4 = number.isdigit() and int(number) > 0xFFFFFFFF
    if (
        digits >= 7
        and len(groups) <= 4
        and ((written_like_one and len(groups) < 4) or north_american or too_large_for_ipv4)
    ):
        raise _phone_number(number)


def _phone_number(number: str) -> InvalidDestination:
    return InvalidDestination(
        DestinationProblem.PHONE_NUMBER,
        f"{_quoted(number)} is a phone number. A destination is the server that takes its calls.",
        suggestion="Enter the host name or address of your provider or PBX; "
        "phone numbers are attached afterwards.",
    )


def _several(first: str, text: str) -> InvalidDestination:
    if _may_hold_password(text):
        first = ""
    return InvalidDestination(
        DestinationProblem.SEVERAL,
        "There is more than one destination. Paste one at a time.",
        suggestion=f"Start with {quoted(first)}." if first else WHAT_TO_ENTER,
        replacement=first or None,
    )


def _without_spaces(text: str, notes: list[str]) -> str:
    compact = _SPACED_DELIMITER.sub(r"\1", text)
    if compact != text:
        notes.append("Spaces were removed.")
    if " " in compact:
        meant = None if _may_hold_password(compact) else _from_words(compact.split())
        raise InvalidDestination(
            DestinationProblem.MALFORMED,
            "A destination has no spaces.",
            suggestion=f"Enter {meant}." if meant else WHAT_TO_ENTER,
            replacement=meant,
        )
    return compact


def _from_words(words: list[str]) -> str | None:
    """``host port 5061 TLS`` as a destination, when nothing else stands there."""
    host, port, transport = words[0], "", ""
    for word in (word.strip("()").lower() for word in words[1:]):
        if word.isascii() and word.isdigit() and not port:
            port = f":{word}"
        elif word in ("udp", "tcp", "tls") and not transport:
            transport = f";transport={word}"
        elif word not in _FILLERS:
            return None
    return host + port + transport if port or transport else None
