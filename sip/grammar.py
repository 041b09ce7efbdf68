"""The tokens of RFC 3261 section 25.1 as pattern fragments, and the scanners built from them.

Every quantifier over peer input is possessive (`*+`, `++`) and every loop moves forward, so that
matching takes time linear in the input, whatever the peer sends. Lines are unfolded before they
come here: white space is SP and HTAB only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv6Address

from sip.errors import LocalProtocolError, RemoteProtocolError

Params = tuple[tuple[str, str | None], ...]

MAX_UINT32 = 2**32 - 1
MAX_CSEQ = 2**31 - 1
MAX_PORT = 65535
_MAX_HOST = 255  # RFC 1035 section 2.3.4

W = r"[ \t]*+"
TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
_QUOTED_TEXT = r'[^"\\\x00-\x08\x0a-\x1f\x7f]*+'
_QUOTED_ESCAPE = r"\\[\x00-\x09\x0b\x0c\x0e-\x7f]"
QUOTED = rf'"{_QUOTED_TEXT}(?>(?:{_QUOTED_ESCAPE}{_QUOTED_TEXT})*)"'
IPV6_REFERENCE = r"\[[0-9A-Fa-f:.]++\]"
# The shape of a host: `host_of` decides about its labels.
HOST = rf"(?:[A-Za-z0-9_.\-]++|{IPV6_REFERENCE})"

# Wider than RFC 3261's hostname in two ways that are common in the field: underscores, and a last
# label that starts with a digit (container ids). A last label of digits only must be an IPv4 address.
_LABEL = r"[A-Za-z0-9_]++(?>(?:-++[A-Za-z0-9_]++)*)"
_NAME = re.compile(rf"{_LABEL}(?>(?:\.{_LABEL})*)\.?")
_IPV4 = re.compile(
    r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    r"(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"
)
# RFC 3261's own grammar makes three colons in front of an embedded IPv4 address; RFC 5118
# section 4.10 asks to read them as two.
_EXTRA_COLON = re.compile(r":::(?=[0-9]++\.[0-9.]++$)")
_TOKEN = re.compile(TOKEN)
# The parameters of nearly every header field: no white space, no quotes, no brackets.
PLAIN_PARAMS = rf"((?>(?:;{TOKEN}(?>(?:={TOKEN})?))*))"
_PARAM = re.compile(rf"{W};{W}({TOKEN})(?>(?:{W}={W}({TOKEN}|{QUOTED}|{IPV6_REFERENCE}))?)")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTED_PAIR = re.compile(r'["\\\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')
# What must not appear in text that goes into a header line, whatever stands around it.
LINE_BREAK = re.compile(r"[\r\n]")


def is_token(text: str) -> bool:
    """Whether `text` is a token (RFC 3261 section 25.1)."""
    return _TOKEN.fullmatch(text) is not None


def is_ipv4(text: str) -> bool:
    """Whether `text` is a dotted quad without leading zeros (they would be octal to some readers)."""
    return _IPV4.fullmatch(text) is not None


def is_ipv6(text: str) -> bool:
    """Whether `text` is an IPv6 address, without brackets and without a zone."""
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def host_of(text: str) -> str:
    """Return the host in lower case, IPv6 without brackets, from text that matched `HOST`.

    Raises RemoteProtocolError for an impossible IP address or a name beyond 255 characters.
    """
    if _IPV4.fullmatch(text) is not None:
        return text
    if text[0] == "[":
        address = _EXTRA_COLON.sub("::", text[1:-1])
        if not is_ipv6(address):
            raise RemoteProtocolError(f"{shown(text)} is not an IPv6 address")
        return address.lower()
    if len(text) > _MAX_HOST:
        raise RemoteProtocolError("host name is longer than 255 characters")
    if _NAME.fullmatch(text) is None or text.rstrip(".").rpartition(".")[2].isdigit():
        raise RemoteProtocolError(f"{shown(text)} is neither a host name nor an IP address")
    return text.lower()


def bracketed(host: str) -> str:
    """Return the host as it stands in a URI or Via: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def bounded_int(text: str, maximum: int, what: str) -> int:
    """Return the number that the ASCII digits of `text` write, at most `maximum`.

    Raises RemoteProtocolError when `text` is not digits or the number is larger. Never converts
    more digits than `maximum` has.
    """
    if not (text.isascii() and text.isdigit()):
        raise RemoteProtocolError(f"{what} {shown(text)} is not a number")
    if len(text) > 10:
        text = text.lstrip("0") or "0"
    if len(text) > 10 or (number := int(text)) > maximum:
        raise RemoteProtocolError(f"{what} is larger than {maximum}")
    return number


def shown(text: str) -> str:
    """Return peer text for an error message: quoted, printable, at most about 80 characters of it."""
    quoted = repr(text[:80])
    return quoted if len(text) <= 80 and len(quoted) <= 90 else f"{quoted[:80]}..."


def unquote(text: str) -> str:
    """Return what a quoted-string says; any other text as it is."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def quote(text: str) -> str:
    """Return `text` as a quoted-string. Raises LocalProtocolError on CR or LF, which none can hold."""
    if LINE_BREAK.search(text):
        raise LocalProtocolError("a quoted string cannot hold a line break")
    return '"' + _NEEDS_QUOTED_PAIR.sub(r"\\\g<0>", text) + '"'


ParamCheck = Callable[[str | None], bool]


def scan_params(
    text: str,
    position: int,
    checks: Mapping[str, ParamCheck],
    pattern: re.Pattern[str] = _PARAM,
) -> tuple[Params, int]:
    """Read `*( SEMI generic-param )` from `position`; return the parameters and where they end.

    Values stay as on the wire, quotes included. Raises RemoteProtocolError when a name is repeated
    (RFC 3261 section 7.3.1) or a value fails its check (keyed by lower-case name).
    """
    params: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    end = len(text)
    while position < end and (found := pattern.match(text, position)) is not None:
        name, value = found.groups()
        _check_param(name.lower(), value, seen, checks)
        params.append((name, value))
        position = found.end()
    return tuple(params), position


def plain_params(text: str, checks: Mapping[str, ParamCheck]) -> Params:
    """Return the parameters in text that matched `PLAIN_PARAMS`, checked as by `scan_params`."""
    if not text:
        return ()
    params: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    # `_check_param` written out: every message of a busy proxy passes here several times.
    for part in text[1:].split(";"):
        name, equals, value = part.partition("=")
        key = name.lower()
        if key in seen:
            raise _repeated(key)
        seen.add(key)
        given = value if equals else None
        if key in checks and not checks[key](given):
            raise _invalid(key)
        params.append((name, given))
    return tuple(params)


def _check_param(
    name: str, value: str | None, seen: set[str], checks: Mapping[str, ParamCheck]
) -> None:
    if name in seen:
        raise _repeated(name)
    seen.add(name)
    if name in checks and not checks[name](value):
        raise _invalid(name)


def _repeated(name: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"parameter {shown(name)} is repeated")


def _invalid(name: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"parameter {shown(name)} has no valid value")


def param_value(params: Params, name: str) -> str | None:
    """Return the unquoted value of a parameter, "" for a flag, None when absent; case-insensitive."""
    name = name.lower()
    for key, value in params:
        if key.lower() == name:
            return "" if value is None else unquote(value)
    return None


def format_params(params: Params) -> str:
    """Return `;name=value;flag` as it stands on the wire."""
    return "".join(f";{n}" if v is None else f";{n}={v}" for n, v in params)


def is_token_param(value: str | None) -> bool:
    """Whether a parameter that `scan_params` read has a value and it is a token."""
    return value is not None and value[0] not in '"[' and ":" not in value


def after_comma(value: str, position: int) -> int:
    """Return where the next list element starts, -1 at the end of the value."""
    position = skip_white(value, position)
    if position == len(value):
        return -1
    if value[position] != ",":
        raise RemoteProtocolError(f"unexpected {shown(value[position:])}")
    return position + 1


def skip_white(text: str, position: int) -> int:
    """Return the first position at or after `position` that is not SP or HTAB."""
    end = len(text)
    while position < end and text[position] in " \t":
        position += 1
    return position


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROLS_QUOTED = re.compile(rf'(?>(?:[^"\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|{QUOTED})*)')
_PRINTABLE = bytes((set(range(0x100)) - set(range(0x20)) - {0x7F}) | {0x09})


def controls_in(data: bytes) -> bytes:
    """Return the control characters in `data`, in order, HTAB left out.

    For lines that are joined by CRLF and hold no control characters that is CRLF once a joint.
    """
    return data.translate(None, _PRINTABLE)


def controls_are_quoted(line: str) -> bool:
    """Whether the control characters of a line are all quoted pairs inside quoted strings.

    There they are legal, even NUL (RFC 4475 section 3.1.1.2).
    """
    return _CONTROL.search(line) is None or _CONTROLS_QUOTED.fullmatch(line) is not None
