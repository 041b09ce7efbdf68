"""Take the secrets out of a SIP message and leave everything else where it was.

Each octet of a secret becomes one `*`, so that lengths stay true: Content-Length, offsets in a
capture, the columns of a dump. Works on the bytes, line by line wherever a line stands, because what
has to be shown is often what no parser accepts; a body that quotes a message (RFC 3420) is covered
by the same rules. Every quantifier is possessive: time is linear in the input.
"""

from __future__ import annotations

import re
from typing import Final

from sip.sdes import mask_keys

__all__ = ["masked"]

_LINE_START: Final = rb"(?<![^\r\n])"
_FOLD: Final = rb"(?:\r\n|\r|\n)[ \t]"
# RFC 3261 section 25.1; RFC 7615 for the proxy's form of Authentication-Info.
_FIELD: Final = re.compile(
    _LINE_START
    + rb"[ \t]*+(?:(?:proxy-)?authorization|(?:www|proxy)-authenticate|(?:proxy-)?authentication-info)"
    rb"[ \t]*+:([^\r\n]*+(?>(?:" + _FOLD + rb"[^\r\n]*+)*))",
    re.IGNORECASE,
)
_TOKEN: Final = rb"[A-Za-z0-9\-.!%*_+`'~]++"
_QUOTED: Final = rb'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"'
_PARAM: Final = rb"(" + _TOKEN + rb")(\s*+=\s*+)(" + _TOKEN + rb"|" + _QUOTED + rb")"
_PARAMS: Final = re.compile(_PARAM, re.DOTALL)
_ITEM: Final = rb"\s*+(?>(?:" + _TOKEN + rb"\s++(?!=))?)" + _PARAM + rb"\s*+"
_WELL_FORMED: Final = re.compile(_ITEM + rb"(?>(?:,(?:" + _ITEM + rb"|\s*+))*)", re.DOTALL)
_SCHEME: Final = re.compile(rb"\s*+(?:digest|basic|bearer)(?=\s)", re.IGNORECASE)
# All others are secret, help to guess one, or are unknown here: nonce, cnonce, opaque, response,
# nextnonce, rspauth, and ik, ck and auts of AKA (RFC 3310; 3GPP TS 24.229).
_OPEN_PARAMS: Final = frozenset(
    (
        *(b"algorithm", b"authz_server", b"charset", b"domain", b"error", b"nc", b"qop"),
        *(b"realm", b"scope", b"stale", b"uri", b"userhash", b"username"),
    )
)
# The password of a URI (RFC 3261 section 19.1.1).
_URI_PASSWORD: Final = re.compile(rb"(\bsips?:[^\s:@<>\"]++:)([^\s:@<>\"]++)(?=@)", re.IGNORECASE)
# RFC 8839 section 5.4: whoever knows it can answer for this end's address.
_ICE_PASSWORD: Final = re.compile(_LINE_START + rb"(a=ice-pwd:)([^\r\n]++)", re.IGNORECASE)

# A quote that is missing in front of a parameter leaves it inside the value before it.
_SWALLOWED: Final = re.compile(rb"(?:nonce|response|opaque|rspauth|auts|[ic]k)\s*+=", re.IGNORECASE)

_LAST_DIGITS: Final = 4
# From seven digits on it is somebody's number and no extension; a visual separator may stand inside
# (RFC 3966 section 3). In front of `@`, because the digits of a host are an address.
_NUMBER: Final = re.compile(
    rb"(?:\bsips?:\+?(?=[0-9\-.()]{1,64}+(?:;[^\s<>@\"]{0,256}+)?@)|\btel:\+?|\+)"
    rb"([0-9](?>(?:[\-.()]?[0-9])*))",
    re.IGNORECASE,
)
_DIGIT: Final = re.compile(rb"[0-9]")
_MIN_NUMBER: Final = 7


def masked(data: bytes, *, hide_numbers: bool = False) -> bytes:
    """Return a message of the same length with `*` over its secrets.

    Those are in Authorization, Proxy-Authorization, WWW-Authenticate, Proxy-Authenticate,
    Authentication-Info and Proxy-Authentication-Info every parameter but those known to be harmless,
    and the whole value when it breaks the grammar; in SDP the media keys (`sip.sdes.mask_keys`) and
    the ICE password; in URIs the password. `hide_numbers` also covers all but the last four digits
    of telephone numbers. Masking twice changes nothing more.
    """
    shown = _FIELD.sub(_masked_field, data)
    shown = mask_keys(shown, keep_length=True)
    for pattern in (_URI_PASSWORD, _ICE_PASSWORD):
        shown = pattern.sub(lambda found: found[1] + _stars(found[2]), shown)
    return _without_numbers(shown) if hide_numbers else shown


def _masked_field(found: re.Match[bytes]) -> bytes:
    head, value = found[0][: found.start(1) - found.start()], found[1]
    if _WELL_FORMED.fullmatch(value) is not None:
        return head + _PARAMS.sub(_masked_param, value)
    scheme = _SCHEME.match(value)
    kept = scheme.end() if scheme is not None else 0
    return head + value[:kept] + _stars(value[kept:])


def _masked_param(found: re.Match[bytes]) -> bytes:
    name, equals, value = found.groups()
    if name.lower() in _OPEN_PARAMS and _SWALLOWED.search(value) is None:
        return found[0]
    if value.startswith(b'"'):
        return name + equals + b'"' + _stars(value[1:-1]) + b'"'
    return name + equals + _stars(value)


def _stars(secret: bytes) -> bytes:
    # White space stays: line ends and folds are the frame of the message.
    return re.sub(rb"[^ \t\r\n]", b"*", secret)


def _without_numbers(data: bytes) -> bytes:
    """Cover each number where a URI or a `+` shows it, then wherever its digits are repeated."""
    numbers = {
        bare
        for found in _NUMBER.finditer(data)
        if len(bare := b"".join(_DIGIT.findall(found[1]))) >= _MIN_NUMBER
    }
    data = _NUMBER.sub(lambda found: _covered(found[0]), data)
    for number in sorted(numbers, key=len, reverse=True):
        data = data.replace(number, _covered(number))
    return data


def _covered(text: bytes) -> bytes:
    digits = len(_DIGIT.findall(text))
    if digits < _MIN_NUMBER:
        return text
    left = digits - _LAST_DIGITS

    def cover(found: re.Match[bytes]) -> bytes:
        nonlocal left
        left -= 1
        return b"*" if left >= 0 else found[0]

    return _DIGIT.sub(cover, text)
