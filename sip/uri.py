"""SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966), and any other absolute URI as text.

Parts are kept as on the wire: %-escapes are not decoded and parameter names keep their case. Only
the scheme and the host are lower-cased. Decoding happens where two URIs are compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address

from sip.errors import RemoteProtocolError
from sip.grammar import (
    HOST,
    MAX_PORT,
    Params,
    bounded_int,
    bracketed,
    format_params,
    host_of,
    shown,
)

_ESCAPED = "%[0-9A-Fa-f]{2}"


def _run(characters: str) -> str:
    """Return the pattern for a run, maybe empty, of `characters` and escapes."""
    return rf"[{characters}]*+(?>(?:{_ESCAPED}[{characters}]*+)*)"


_USER = _run(r"A-Za-z0-9\-_.!~*'()&=+$,;?/")
_PASSWORD = _run(r"A-Za-z0-9\-_.!~*'()&=+$,")
_PARAM_CHARS = r"A-Za-z0-9\-_.!~*'()\[\]/:&+$"
_PARAM_TEXT = rf"(?=[{_PARAM_CHARS}%]){_run(_PARAM_CHARS)}"
_HEADER_CHARS = r"A-Za-z0-9\-_.!~*'()\[\]/?:+$"
_HEADER = rf"(?=[{_HEADER_CHARS}%]){_run(_HEADER_CHARS)}={_run(_HEADER_CHARS)}"

_SIP_URI = re.compile(
    rf"([Ss][Ii][Pp][Ss]?):(?:(?!@|:)({_USER})(?::({_PASSWORD}))?@)?({HOST})(?::([0-9]++))?"
    rf"((?>(?:;{_PARAM_TEXT}(?:={_PARAM_TEXT})?)*))(?:\?({_HEADER}(?>(?:&{_HEADER})*)))?"
)
_TEL_URI = re.compile(
    r"[Tt][Ee][Ll]:(\+[\-.()]*+[0-9][0-9\-.()]*+|[\-.()]*+[0-9A-Fa-f*#][0-9A-Fa-f*#\-.()]*+)"
    rf"((?>(?:;[A-Za-z0-9\-]++(?:={_PARAM_TEXT})?)*))"
)
_OTHER_URI = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]*+):((?>(?:[A-Za-z0-9\-_.!~*'();/?:@&=+$,\[\]#]|%[0-9A-Fa-f]{2})+))"
)
# A peer that is probed for ever sends the same few URIs again and again: parsing them once takes a
# sixth off the cost of a reply. At about 700 bytes each the memory is below 3 MB.
_REMEMBERED_URIS = 4096
_REMEMBERED_LENGTH = 96

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_RESERVED = frozenset(";/?:@&=+$,")
# RFC 3261 section 19.1.4: these do not match when only one of the two URIs has them. `transport` is
# there because the section's own examples say so.
_MATCH_WHEN_MISSING = frozenset({"user", "ttl", "method", "maddr", "transport"})


def _decode(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return found[0].upper() if character in _RESERVED or character >= "\x7f" else character


def _comparable(text: str) -> str:
    return _ESCAPE.sub(_decode, text) if "%" in text else text


def _comparable_host(host: str) -> str:
    return IPv6Address(host).compressed if ":" in host else host.lower()


@dataclass(frozen=True, slots=True)
class SipUri:
    """A `sip:` or `sips:` URI. `host` is lower-case, an IPv6 address without brackets."""

    scheme: str
    host: str
    user: str | None = None
    password: str | None = None
    port: int | None = None
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()

    def param(self, name: str) -> str | None:
        """Return a parameter's value as on the wire, "" for a flag, None when absent.

        Names are compared without case and with escapes decoded (RFC 4475 section 3.1.1.3).
        """
        name = name.lower()
        for key, value in self.params:
            if _comparable(key).lower() == name:
                return "" if value is None else value
        return None

    @property
    def transport(self) -> str | None:
        """The `transport` parameter in lower case."""
        value = self.param("transport")
        return None if value is None else value.lower()

    @property
    def hostport(self) -> str:
        """`host[:port]` with brackets around IPv6."""
        host = bracketed(self.host)
        return host if self.port is None else f"{host}:{self.port}"

    def __str__(self) -> str:
        text = self.hostport
        if self.user is not None:
            password = "" if self.password is None else f":{self.password}"
            text = f"{self.user}{password}@{text}"
        text = f"{self.scheme}:{text}"
        if self.params:
            text += format_params(self.params)
        if self.headers:
            text += "?" + "&".join(f"{name}={value}" for name, value in self.headers)
        return text

    def equivalent(self, other: Uri) -> bool:
        """Whether both name the same resource by RFC 3261 section 19.1.4.

        Reflexive and symmetric, but not transitive: most parameters count only when both have them.
        """
        if not isinstance(other, SipUri):
            return False
        if (self.scheme, self.port) != (other.scheme, other.port):
            return False
        if _comparable_host(self.host) != _comparable_host(other.host):
            return False
        return (
            self._userinfo() == other._userinfo()
            and self._headers() == other._headers()
            and _params_match(self._params(), other._params())
        )

    def _userinfo(self) -> tuple[str | None, str | None]:
        user = None if self.user is None else _comparable(self.user)
        return user, None if self.password is None else _comparable(self.password)

    def _params(self) -> dict[str, str | None]:
        return {
            _comparable(name).lower(): None if value is None else _comparable(value).lower()
            for name, value in self.params
        }

    def _headers(self) -> list[tuple[str, str]]:
        return sorted((_comparable(n).lower(), _comparable(v).lower()) for n, v in self.headers)


def _params_match(ours: dict[str, str | None], theirs: dict[str, str | None]) -> bool:
    for name in ours.keys() | theirs.keys():
        if name in ours and name in theirs:
            if ours[name] != theirs[name]:
                return False
        elif name in _MATCH_WHEN_MISSING:
            return False
    return True


@dataclass(frozen=True, slots=True)
class TelUri:
    """A `tel:` URI: the number with its visual separators, and the parameters, as on the wire."""

    number: str
    params: Params = ()

    def __str__(self) -> str:
        return f"tel:{self.number}{format_params(self.params)}"


@dataclass(frozen=True, slots=True)
class OtherUri:
    """An absolute URI of another scheme, uninterpreted. `scheme` is lower-case."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri = SipUri | TelUri | OtherUri


def parse_uri(text: str) -> Uri:
    """Parse one absolute URI that fills `text`. Raises RemoteProtocolError.

    IPv6 hosts need their brackets; port 0 to 65535; a parameter name appears once
    (RFC 3261 section 19.1.1).
    """
    return _remembered(text) if len(text) <= _REMEMBERED_LENGTH else _parse(text)


def _parse(text: str) -> Uri:
    found = _SIP_URI.fullmatch(text)
    if found is not None:
        scheme, user, password, host, port, params, headers = found.groups()
        return SipUri(
            scheme.lower(),
            host_of(host),
            user,
            password,
            None if port is None else bounded_int(port, MAX_PORT, "port"),
            _split_params(params) if params else (),
            _split_headers(headers) if headers else (),
        )
    scheme = text.partition(":")[0].lower()
    if scheme in ("sip", "sips"):
        raise RemoteProtocolError(f"{shown(text)} is not a SIP URI")
    if scheme == "tel":
        found = _TEL_URI.fullmatch(text)
        if found is None:
            raise RemoteProtocolError(f"{shown(text)} is not a tel URI")
        return TelUri(found[1], _split_params(found[2]))
    found = _OTHER_URI.fullmatch(text)
    if found is None:
        raise RemoteProtocolError(f"{shown(text)} is not a URI")
    return OtherUri(scheme, found[2])


_remembered = lru_cache(_REMEMBERED_URIS)(_parse)


def _split_params(text: str) -> Params:
    params: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    for part in text.split(";")[1:]:
        name, equals, value = part.partition("=")
        lower = name.lower()
        if lower in seen:
            raise RemoteProtocolError(f"URI parameter {shown(name)} is repeated")
        seen.add(lower)
        params.append((name, value if equals else None))
    return tuple(params)


def _split_headers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (part.partition("=") for part in text.split("&"))
    return tuple((name, value) for name, _, value in pairs)
