"""What the parser asks of each known header field: how often it may stand, and its grammar.

A rule takes the unfolded value, raises RemoteProtocolError when it breaks RFC 3261 section 25.1 and
returns what the typed accessors of a message hand out. Header fields without a rule may hold
anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

from sip.errors import RemoteProtocolError
from sip.grammar import (
    MAX_UINT32,
    QUOTED,
    TOKEN,
    W,
    bounded_int,
    scan_params,
    shown,
    skip_white,
)
from sip.headers import (
    NameAddr,
    Star,
    parse_addresses,
    parse_contacts,
    parse_cseq,
    parse_name_addr,
    parse_via,
)

MAX_FORWARDS = 255  # RFC 3261 section 20.22

_REMEMBERED_VALUES: Final = 512
_REMEMBERED_LENGTH: Final = 128

_WORD = r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]++"
_CALL_ID = re.compile(rf"{_WORD}(?:@{_WORD})?")
_MEDIA_TYPE = re.compile(rf"({TOKEN}){W}/{W}({TOKEN})")
_NUMBER = re.compile(r"[0-9]++")
_COMMENT = re.compile(rf"{W}\((?>(?:[^()\\]|\\.|\([^()]*+\))*)\)")  # nested once at most
_TOKENS = re.compile(rf"{W}(?>(?:{TOKEN}{W})?)(?>(?:,{W}(?>(?:{TOKEN}{W})?))*)")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?:0[1-9]|[12][0-9]|3[01]) "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60) GMT"
)
# The agent is a host and port or any pseudonym; nothing here depends on which.
_WARNING = rf"[1-9][0-9][0-9][ \t]++[^ \t\",]++[ \t]++{QUOTED}"
_WARNINGS = re.compile(rf"{_WARNING}(?>(?:{W},{W}{_WARNING})*)")
_AUTH_PARAM = rf"{TOKEN}{W}={W}(?:{TOKEN}|{QUOTED})"
_AUTH_PARAMS = rf"{_AUTH_PARAM}(?>(?:{W},{W}{_AUTH_PARAM})*)"
# The single token of RFC 8898's Bearer credentials (RFC 7235 section 2.1).
_TOKEN68 = r"[A-Za-z0-9\-._~+/]++=*+"
_CREDENTIAL = rf"{TOKEN}[ \t]++(?:{_AUTH_PARAMS}|{_TOKEN68})"
_CREDENTIALS = re.compile(_CREDENTIAL)
# RFC 3261 gives each challenge a header field of its own; peers that offer several by RFC 8760 also
# write them as the list that RFC 7235 section 4.1 allows.
_CHALLENGES = re.compile(rf"{_CREDENTIAL}(?>(?:{W},{W}{_CREDENTIAL})*)")
_AUTH_INFO = re.compile(_AUTH_PARAMS)
_RACK = re.compile(rf"([0-9]++)[ \t]++([0-9]++)[ \t]++{TOKEN}")


def _call_id(value: str) -> str:
    if _CALL_ID.fullmatch(value) is None:
        raise RemoteProtocolError(f"{shown(value)} is not a call identifier")
    return value


def _max_forwards(value: str) -> int:
    return bounded_int(value, MAX_FORWARDS, "number of hops")


def _uint32(value: str) -> int:
    return bounded_int(value, MAX_UINT32, "number")


def _delta_seconds(value: str) -> int:
    """`delta-seconds *( SEMI generic-param )`, as in Session-Expires (RFC 4028)."""
    found = _NUMBER.match(value)
    if found is None:
        raise RemoteProtocolError(f"{shown(value)} does not start with seconds")
    return _seconds_before_params(value, found[0], found.end())


def _retry_after(value: str) -> int:
    """`delta-seconds [ comment ] *( SEMI retry-param )`."""
    found = _NUMBER.match(value)
    if found is None:
        raise RemoteProtocolError(f"{shown(value)} does not start with seconds")
    comment = _COMMENT.match(value, found.end())
    return _seconds_before_params(value, found[0], (comment or found).end())


def _seconds_before_params(value: str, digits: str, position: int) -> int:
    _, position = scan_params(value, position, {})
    if skip_white(value, position) != len(value):
        raise RemoteProtocolError(f"unexpected {shown(value[position:])} after the seconds")
    return _uint32(digits)


def _media_type(value: str) -> str:
    found = _MEDIA_TYPE.match(value)
    if found is None:
        raise RemoteProtocolError(f"{shown(value)} is not a media type")
    _, position = scan_params(value, found.end(), {})
    if skip_white(value, position) != len(value):
        raise RemoteProtocolError(f"unexpected {shown(value[position:])} after the media type")
    return f"{found[1]}/{found[2]}".lower()


def _shape(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def rule(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise RemoteProtocolError(f"{shown(value)} is not {what}")
        return value

    return rule


def _shape_of_one(pattern: re.Pattern[str], what: str) -> Callable[[str], tuple[str, ...]]:
    rule = _shape(pattern, what)
    return lambda value: (rule(value),)


def _rack(value: str) -> str:
    found = _RACK.fullmatch(value)
    if found is None:
        raise RemoteProtocolError(f"{shown(value)} is not two numbers and a method")
    _uint32(found[1])
    _uint32(found[2])
    return value


def _contacts(value: str) -> tuple[NameAddr | Star, ...]:
    contacts = parse_contacts(value)
    return (contacts,) if isinstance(contacts, Star) else contacts


def _opaque(value: str) -> str:
    return value


_Value = TypeVar("_Value")


def _remembering(rule: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Return the rule with a memory of short values: peers write the same few again and again."""
    remembered = lru_cache(_REMEMBERED_VALUES)(rule)
    return lambda value: remembered(value) if len(value) <= _REMEMBERED_LENGTH else rule(value)


# Each may stand once. Server, User-Agent and Subject are left out: a second one misleads nobody.
SINGLE: Mapping[str, Callable[[str], object]] = {
    "From": parse_name_addr,
    "To": parse_name_addr,
    "Call-ID": _call_id,
    "CSeq": _remembering(parse_cseq),
    "Max-Forwards": _remembering(_max_forwards),
    "Content-Length": _remembering(_uint32),
    "Content-Type": _remembering(_media_type),
    "Expires": _uint32,
    "Min-Expires": _uint32,
    "Retry-After": _retry_after,
    "Date": _shape(_DATE, "a date in GMT"),
    "Authentication-Info": _shape(_AUTH_INFO, "a list of parameters"),
    "Refer-To": parse_name_addr,
    "Reply-To": parse_name_addr,
    "Session-Expires": _delta_seconds,
    "Min-SE": _delta_seconds,
    "RSeq": _uint32,
    "RAck": _rack,
    "Content-Disposition": _opaque,
    "Event": _opaque,
    "MIME-Version": _opaque,
    "Replaces": _opaque,
    "Subscription-State": _opaque,
    "Timestamp": _opaque,
}

_TOKEN_LIST = _remembering(_shape_of_one(_TOKENS, "a list of tokens"))

# Each may stand several times and hold several values; the results are joined in order.
LISTS: Mapping[str, Callable[[str], tuple[object, ...]]] = {
    "Via": parse_via,
    "Contact": _contacts,
    "Route": parse_addresses,
    "Record-Route": parse_addresses,
    "Allow": _TOKEN_LIST,
    "Supported": _TOKEN_LIST,
    "Require": _TOKEN_LIST,
    "Proxy-Require": _TOKEN_LIST,
    "Unsupported": _TOKEN_LIST,
    "Warning": _shape_of_one(_WARNINGS, "a code, an agent and a quoted text"),
    "WWW-Authenticate": _shape_of_one(_CHALLENGES, "a challenge"),
    "Proxy-Authenticate": _shape_of_one(_CHALLENGES, "a challenge"),
    "Authorization": _shape_of_one(_CREDENTIALS, "credentials"),
    "Proxy-Authorization": _shape_of_one(_CREDENTIALS, "credentials"),
}
