"""The hash algorithms of digest authentication and what is computed with them.

RFC 7616 section 3.4 with the algorithms that RFC 8760 brings to SIP.

    SipError
    └── DigestError               a challenge cannot be answered: catch it to catch all three
        ├── ChallengeUnsupported  nothing that was offered is understood here
        ├── ChallengeTooWeak      all that is understood is below the minimum
        └── AlgorithmUnavailable  this Python's OpenSSL lacks the algorithm
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from sip.errors import SipError


class Algorithm(StrEnum):
    """An algorithm by its name in the `algorithm` parameter."""

    MD5 = "MD5"
    MD5_SESS = "MD5-sess"
    SHA_256 = "SHA-256"
    SHA_256_SESS = "SHA-256-sess"
    SHA_512_256 = "SHA-512-256"
    SHA_512_256_SESS = "SHA-512-256-sess"

    @classmethod
    def named(cls, name: str) -> Algorithm | None:
        """Return the algorithm with a name in any case, None for an unknown one."""
        return _BY_LOWER.get(name.lower())

    @property
    def is_session(self) -> bool:
        """Whether it is a `-sess` form, which hashes nonces into A1 (RFC 7616 section 3.4.2)."""
        return self.endswith("-sess")

    @property
    def strength(self) -> int:
        """Its rank: MD5, SHA-256, SHA-512-256. A `-sess` form has that of its plain one."""
        return _STRENGTHS[self.removesuffix("-sess")]

    def hexdigest(self, data: bytes) -> str:
        """Return H(data) in lower-case hexadecimal.

        Raises AlgorithmUnavailable when OpenSSL does not have it.
        """
        try:
            # Authentication by challenge is not what a FIPS build forbids MD5 for.
            function = hashlib.new(
                _HASHLIB_NAMES[self.removesuffix("-sess")], data, usedforsecurity=False
            )
        except ValueError:
            raise AlgorithmUnavailable(self) from None
        return function.hexdigest()

    @property
    def is_available(self) -> bool:
        """Whether this Python can compute it."""
        try:
            self.hexdigest(b"")
        except AlgorithmUnavailable:
            return False
        return True


_BY_LOWER = {algorithm.lower(): algorithm for algorithm in Algorithm}
_STRENGTHS = {"MD5": 1, "SHA-256": 2, "SHA-512-256": 3}
_HASHLIB_NAMES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class DigestError(SipError):
    """A challenge cannot be answered. `offered` names what the peer wanted, in its order."""

    def __init__(self, message: str, offered: tuple[str, ...]) -> None:
        super().__init__(message)
        self.offered = offered


class ChallengeUnsupported(DigestError):
    """No offered scheme, algorithm and quality of protection is understood here."""

    def __init__(self, offered: tuple[str, ...]) -> None:
        super().__init__(f"no challenge is supported, offered: {', '.join(offered)}", offered)


class ChallengeTooWeak(DigestError):
    """Every challenge that is understood uses an algorithm below `minimum`."""

    def __init__(self, offered: tuple[str, ...], minimum: Algorithm) -> None:
        super().__init__(
            f"{minimum} or stronger is required, offered: {', '.join(offered)}", offered
        )
        self.minimum = minimum


class AlgorithmUnavailable(DigestError):
    """The OpenSSL under this Python does not have `algorithm`."""

    def __init__(self, algorithm: Algorithm) -> None:
        super().__init__(f"{algorithm} is missing in this OpenSSL", (str(algorithm),))
        self.algorithm = algorithm


def user_hash(algorithm: Algorithm, username: str, realm: str) -> str:
    """Return what stands in `username` when `userhash` is true (RFC 7616 section 3.4.4)."""
    return algorithm.hexdigest(utf_8(f"{username}:{realm}"))


def request_digest(
    algorithm: Algorithm,
    *,
    username: str,
    realm: str,
    password: str,
    nonce: str,
    method: str,
    uri: str,
    qop: str | None = None,
    nc: int = 1,
    cnonce: str = "",
    body: bytes = b"",
) -> str:
    """Return the `response` value (RFC 7616 sections 3.4.1 to 3.4.3).

    Strings are the values themselves, without quotes and escapes. `qop` None is the form of RFC 2069.
    Raises AlgorithmUnavailable.
    """
    hashed = algorithm.hexdigest
    secret = hashed(utf_8(f"{username}:{realm}:{password}"))
    if algorithm.is_session:
        secret = hashed(utf_8(f"{secret}:{nonce}:{cnonce}"))
    covered = f"{method}:{uri}"
    if qop == "auth-int":
        covered = f"{covered}:{hashed(body)}"
    covered = hashed(utf_8(covered))
    if qop is None:
        return hashed(utf_8(f"{secret}:{nonce}:{covered}"))
    return hashed(utf_8(f"{secret}:{nonce}:{nc:08x}:{cnonce}:{qop}:{covered}"))


def utf_8(text: str) -> bytes:
    """Return the bytes of any string: an encoding error would carry the text, a password maybe."""
    return text.encode("utf-8", "surrogatepass")
