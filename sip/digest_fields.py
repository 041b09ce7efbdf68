"""The header fields of digest authentication (RFC 3261 section 25.1, RFC 7616 section 3, RFC 8760).

Attributes hold values without quotes and escapes; `str()` writes the header value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.digest_algorithms import Algorithm
from sip.errors import RemoteProtocolError
from sip.grammar import QUOTED, TOKEN, W, quote, shown, skip_white, unquote

_PARAM = re.compile(rf"({TOKEN}){W}={W}({TOKEN}|{QUOTED}){W}(?=,|$)")
_SCHEME = re.compile(rf"({TOKEN})(?=[ \t,]|$)")
# The single value of Bearer, Negotiate and their like (RFC 7235 section 2.1).
_TOKEN68 = re.compile(rf"[A-Za-z0-9\-._~+/]++=*+{W}(?=,|$)")
_NONCE_COUNT = re.compile(r"[0-9A-Fa-f]{8}")

_Pairs = dict[str, str]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One Digest challenge, or a challenge of another `scheme` with nothing but its name.

    `algorithm_name` is as the peer wrote it, None when it left it out, which means MD5. `qop` holds
    the offered qualities of protection in lower case, empty in the form of RFC 2069. `stale` says
    that the credentials were right but for an outdated nonce (RFC 7616 section 3.3).
    """

    realm: str
    nonce: str
    algorithm_name: str | None = None
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False
    userhash: bool = False
    domain: str | None = None
    scheme: str = "Digest"

    @classmethod
    def parse(cls, value: str) -> Challenge:
        """Parse the one challenge that fills a header value. Raises RemoteProtocolError."""
        challenges = parse_challenges(value)
        if len(challenges) != 1:
            raise RemoteProtocolError(f"{shown(value)} is not one challenge")
        return challenges[0]

    @property
    def algorithm(self) -> Algorithm | None:
        """The algorithm to use, None when it is unknown or the scheme is not Digest."""
        if self.scheme != "Digest":
            return None
        return (
            Algorithm.MD5 if self.algorithm_name is None else Algorithm.named(self.algorithm_name)
        )

    @property
    def offer(self) -> str:
        """What it wants, for people: `SHA-256`, `MD5 qop='auth-conf'`, `Basic`."""
        if self.scheme != "Digest":
            return self.scheme if len(self.scheme) <= 64 else shown(self.scheme)
        name = self.algorithm_name or str(Algorithm.MD5)
        if self.algorithm is None:
            name = shown(name)
        known = not self.qop or "auth" in self.qop or "auth-int" in self.qop
        return name if known else f"{name} qop={shown(','.join(self.qop))}"

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        if self.domain is not None:
            parts.append(f"domain={quote(self.domain)}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        if self.algorithm_name is not None:
            parts.append(f"algorithm={self.algorithm_name}")
        if self.qop:
            parts.append(f"qop={quote(','.join(self.qop))}")
        if self.userhash:
            parts.append("userhash=true")
        return f"{self.scheme} {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """The value of Authorization or Proxy-Authorization.

    `username` is a hash when `userhash` is true. `qop` None is the form of RFC 2069.
    """

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm_name: str | None = None
    qop: str | None = None
    nc: int | None = None
    cnonce: str | None = None
    opaque: str | None = None
    userhash: bool = False

    @classmethod
    def parse(cls, value: str) -> DigestCredentials:
        """Parse a header value. Raises RemoteProtocolError when it is not Digest or incomplete."""
        schemes = _scan(value)
        if len(schemes) != 1 or schemes[0][0].lower() != "digest":
            raise RemoteProtocolError(f"{shown(value)} is not Digest credentials")
        pairs = schemes[0][1]
        qop = pairs.get("qop")
        count = pairs.get("nc")
        if qop is not None and (count is None or "cnonce" not in pairs):
            raise RemoteProtocolError("qop needs cnonce and nc")
        if count is not None and _NONCE_COUNT.fullmatch(count) is None:
            raise RemoteProtocolError(f"nc {shown(count)} is not eight hexadecimal digits")
        return cls(
            username=_required(pairs, "username"),
            realm=_required(pairs, "realm"),
            nonce=_required(pairs, "nonce"),
            uri=_required(pairs, "uri"),
            response=_required(pairs, "response").lower(),
            algorithm_name=pairs.get("algorithm"),
            qop=None if qop is None else qop.lower(),
            nc=None if count is None else int(count, 16),
            cnonce=pairs.get("cnonce"),
            opaque=pairs.get("opaque"),
            userhash=_is_true(pairs.get("userhash")),
        )

    @property
    def algorithm(self) -> Algorithm | None:
        """The algorithm that was used, None when it is unknown."""
        return (
            Algorithm.MD5 if self.algorithm_name is None else Algorithm.named(self.algorithm_name)
        )

    def __str__(self) -> str:
        parts = [
            f"username={quote(self.username)}",
            f"realm={quote(self.realm)}",
            f"nonce={quote(self.nonce)}",
            f"uri={quote(self.uri)}",
            f"response={quote(self.response)}",
        ]
        if self.algorithm_name is not None:
            parts.append(f"algorithm={self.algorithm_name}")
        if self.cnonce is not None:
            parts.append(f"cnonce={quote(self.cnonce)}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        if self.qop is not None:
            parts.append(f"qop={self.qop}")
        if self.nc is not None:
            parts.append(f"nc={self.nc:08x}")
        if self.userhash:
            parts.append("userhash=true")
        return f"Digest {', '.join(parts)}"


def parse_challenges(value: str) -> tuple[Challenge, ...]:
    """Parse a WWW-Authenticate or Proxy-Authenticate value with one or more challenges.

    SIP allows one in a header field (RFC 3261 section 25.1), HTTP any number, and peers follow both.
    Raises RemoteProtocolError when it is malformed or a Digest challenge lacks realm or nonce.
    """
    return tuple(_challenge(scheme, pairs) for scheme, pairs in _scan(value))


def _challenge(scheme: str, pairs: _Pairs) -> Challenge:
    if scheme.lower() != "digest":
        return Challenge(pairs.get("realm", ""), "", scheme=scheme)
    qop = (part.strip(" \t").lower() for part in pairs.get("qop", "").split(","))
    return Challenge(
        realm=_required(pairs, "realm"),
        nonce=_required(pairs, "nonce"),
        algorithm_name=pairs.get("algorithm"),
        qop=tuple(part for part in qop if part),
        opaque=pairs.get("opaque"),
        stale=_is_true(pairs.get("stale")),
        userhash=_is_true(pairs.get("userhash")),
        domain=pairs.get("domain"),
    )


def _scan(value: str) -> list[tuple[str, _Pairs]]:
    """Return each scheme with its parameters by lower-case name."""
    schemes: list[tuple[str, _Pairs]] = []
    position = 0
    while (position := _skip_separators(value, position)) < len(value):
        if schemes and (found := _PARAM.match(value, position)) is not None:
            pairs = schemes[-1][1]
            name = found[1].lower()
            if name in pairs:
                raise RemoteProtocolError(f"parameter {shown(name)} is repeated")
            pairs[name] = unquote(found[2])
        elif (found := _SCHEME.match(value, position)) is not None:
            schemes.append((found[1], {}))
            blob = _TOKEN68.match(value, skip_white(value, found.end()))
            if blob is not None and found[1].lower() != "digest":
                found = blob
        else:
            raise RemoteProtocolError(f"{shown(value)} is not a list of schemes and parameters")
        position = found.end()
    if not schemes:
        raise RemoteProtocolError("names no authentication scheme")
    return schemes


def _skip_separators(value: str, position: int) -> int:
    while position < len(value) and value[position] in " \t,":
        position += 1
    return position


def _required(pairs: _Pairs, name: str) -> str:
    value = pairs.get(name)
    if value is None:
        raise RemoteProtocolError(f"{name} is missing")
    return value


def _is_true(value: str | None) -> bool:
    return value is not None and value.lower() == "true"
