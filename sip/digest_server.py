"""Asking for credentials and checking them (RFC 3261 section 22.1, RFC 7616 section 3).

Nonces carry their time and a MAC, so an unused one costs no memory; of a used one the highest count
is remembered, and no request counts twice.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sip.digest_algorithms import Algorithm, request_digest, user_hash, utf_8
from sip.digest_fields import Challenge, DigestCredentials

NONCE_LIFETIME: Final = timedelta(minutes=5)
# At 200 bytes each; beyond it the oldest nonces become stale early, which costs a round trip.
MAX_USED_NONCES: Final = 10_000

_MAC_DIGITS = 32


class Verdict(StrEnum):
    """What the credentials of a request are worth.

    ACCEPTED admits it. STALE and REPLAYED are answered by a challenge with `stale`, so that the
    peer tries again without asking anybody; REJECTED by one without.
    """

    ACCEPTED = "accepted"
    STALE = "stale"
    REPLAYED = "replayed"
    REJECTED = "rejected"


class NonceBook:
    """Makes nonces and knows which of its own are still good.

    `now` is in seconds of any one clock that does not run back, `secret` is known to nobody else.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        lifetime: timedelta = NONCE_LIFETIME,
        max_used: int = MAX_USED_NONCES,
    ) -> None:
        self._secret = secret
        self._lifetime = round(lifetime.total_seconds() * 1000)
        self._max_used = max_used
        self._serial = 0
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._forgotten_until = -1

    def issue(self, now: float) -> str:
        """Return a nonce that no earlier call returned."""
        self._serial += 1
        stamp = f"{_milliseconds(now):x}.{self._serial:x}"
        return f"{stamp}.{self._mac(stamp)}"

    def is_own(self, nonce: str) -> bool:
        """Whether a nonce was made here, however long ago."""
        stamp, _, mac = nonce.rpartition(".")
        return _same(mac, self._mac(stamp))

    def is_fresh(self, nonce: str, now: float) -> bool:
        """Whether one of our own nonces may still be used."""
        made = _made(nonce)
        return made > self._forgotten_until and _milliseconds(now) - made <= self._lifetime

    def count(self, nonce: str, nc: int) -> bool:
        """Take note that a fresh nonce was used; return whether `nc` is higher than before."""
        if nc <= self._counts.get(nonce, 0):
            return False
        self._counts[nonce] = nc
        self._counts.move_to_end(nonce)
        if len(self._counts) > self._max_used:
            forgotten, _ = self._counts.popitem(last=False)
            self._forgotten_until = max(self._forgotten_until, _made(forgotten))
        return True

    def _mac(self, stamp: str) -> str:
        return hmac.digest(self._secret, utf_8(stamp), "sha256").hex()[:_MAC_DIGITS]


def _milliseconds(now: float) -> int:
    return int(now * 1000)


def _made(nonce: str) -> int:
    return int(nonce.partition(".")[0], 16)


@dataclass(frozen=True, slots=True)
class Protection:
    """What a server asks for. Without `qop` it is the form of RFC 2069."""

    realm: str
    algorithms: tuple[Algorithm, ...] = (Algorithm.SHA_256, Algorithm.MD5)
    qop: tuple[str, ...] = ("auth",)
    opaque: str | None = None
    userhash: bool = False

    def challenges(self, nonce: str, *, stale: bool = False) -> tuple[Challenge, ...]:
        """Return one challenge for each algorithm, in order of preference (RFC 8760 section 2.3)."""
        return tuple(
            Challenge(
                realm=self.realm,
                nonce=nonce,
                algorithm_name=str(algorithm),
                qop=self.qop,
                opaque=self.opaque,
                stale=stale,
                userhash=self.userhash,
            )
            for algorithm in self.algorithms
        )


def verify(
    credentials: DigestCredentials,
    protection: Protection,
    nonces: NonceBook,
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    now: float,
    body: bytes = b"",
) -> Verdict:
    """Check the credentials of a request with this method, Request-URI and body.

    `uri` has to be what the peer hashed, character for character.

    A nonce's count advances only for right credentials, so nobody can use up another's. Raises
    AlgorithmUnavailable when `protection` asks for what OpenSSL lacks.
    """
    algorithm = credentials.algorithm
    if algorithm is None or algorithm not in protection.algorithms:
        return Verdict.REJECTED
    if credentials.realm != protection.realm or credentials.opaque != protection.opaque:
        return Verdict.REJECTED
    if credentials.qop not in (protection.qop or (None,)) or credentials.uri != uri:
        return Verdict.REJECTED
    if not nonces.is_own(credentials.nonce):
        return Verdict.REJECTED
    nc = credentials.nc or 0
    expected = request_digest(
        algorithm,
        username=username,
        realm=protection.realm,
        password=password,
        nonce=credentials.nonce,
        method=method,
        uri=uri,
        qop=credentials.qop,
        nc=nc,
        cnonce=credentials.cnonce or "",
        body=body,
    )
    known_as = (
        user_hash(algorithm, username, protection.realm) if credentials.userhash else username
    )
    if not _same(credentials.username, known_as) or not _same(credentials.response, expected):
        return Verdict.REJECTED
    if not nonces.is_fresh(credentials.nonce, now):
        return Verdict.STALE
    # The form of RFC 2069 has no count: its nonces serve until they are stale.
    if credentials.qop is not None and not nonces.count(credentials.nonce, nc):
        return Verdict.REPLAYED
    return Verdict.ACCEPTED


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(utf_8(one), utf_8(other))
