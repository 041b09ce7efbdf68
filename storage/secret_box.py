"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a ring of keys.

A sealed value opens only for the purpose and the organization it was sealed for: both are
authenticated with it, so that a value copied into another row or column does not open there. The
current key seals, every key of the ring opens; ``needs_resealing`` finds what an older key sealed.

    SecretBoxError
    ├── InvalidKeyRing   the setting cannot be read
    ├── MalformedToken   not something this module sealed
    ├── UnknownKey       sealed with a key that is not in the ring
    └── SealBroken       changed, or sealed for another purpose or organization
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import StorageError

__all__ = [
    "InvalidKeyRing",
    "MalformedToken",
    "SealBroken",
    "SecretBox",
    "SecretBoxError",
    "UnknownKey",
    "generate_key",
    "key_id_of",
]

KEY_BYTES: Final = 32
# SP 800-38D 8.2.2: random nonces of 96 bits are safe for 2^32 values under one key.
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MAX_KEY_ID: Final = 32
HEAD_BYTES: Final = 2 + MAX_KEY_ID + NONCE_BYTES + TAG_BYTES
"""So much of a token is enough for ``key_id_of``."""
_VERSION: Final = 1
_KEY_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_KEY_ID}}}\Z")


class SecretBoxError(StorageError):
    """Root of the errors of sealing; never raised itself, and never quotes a secret."""


class InvalidKeyRing(SecretBoxError):
    """The key ring is not ``id:base64,…`` with 32 bytes and a name of its own for each key."""


class MalformedToken(SecretBoxError):
    """The bytes are not a sealed value."""


class UnknownKey(SecretBoxError):
    """The value was sealed with a key that the ring does not hold."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the key ring has no key {key_id!r}")
        self.key_id = key_id


class SealBroken(SecretBoxError):
    """The value was changed, or belongs to another purpose or organization."""


def generate_key(key_id: str) -> str:
    """A new random key as ``id:base64``: one entry of the ring.

    Raises ``InvalidKeyRing`` when the id is not 1 to 32 letters, digits, dots, dashes, underscores.
    """
    _check_id(key_id)
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode('ascii')}"


def key_id_of(token: bytes) -> str:
    """Id of the key that sealed it, in the ring or not. Raises ``MalformedToken``.

    The first ``HEAD_BYTES`` of a token give the same answer as the whole one.
    """
    return _split(token)[0]


@dataclass(frozen=True, slots=True)
class SecretBox:
    """Seals and opens with the keys of one ring, the current one first."""

    current: str
    _keys: dict[str, AESGCM] = field(repr=False)

    @classmethod
    def from_key_ring(cls, text: str) -> SecretBox:
        """Read ``id:base64,id:base64,…``. Raises ``InvalidKeyRing``."""
        keys: dict[str, AESGCM] = {}
        for position, entry in enumerate(text.split(","), start=1):
            key_id, separator, encoded = entry.strip().partition(":")
            if not separator:
                raise InvalidKeyRing(f"key {position} is not id:base64")
            _check_id(key_id)
            if key_id in keys:
                raise InvalidKeyRing(f"the key id {key_id!r} is there twice")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise InvalidKeyRing(f"key {key_id!r} is not base64") from None
            if len(key) != KEY_BYTES:
                raise InvalidKeyRing(f"key {key_id!r} has {len(key)} bytes, not {KEY_BYTES}")
            keys[key_id] = AESGCM(key)
        return cls(current=next(iter(keys)), _keys=keys)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The keys of the ring as they stand in it, the current one first."""
        return tuple(self._keys)

    def seal(self, secret: bytes, *, purpose: str, org_id: str) -> bytes:
        """The secret, sealed by the current key: version, length of the key id, key id, nonce,
        ciphertext with tag. Sealing twice gives different bytes."""
        head = _head(self.current)
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self.current].encrypt(nonce, secret, _bound(head, purpose, org_id))
        return head + nonce + sealed

    def open(self, token: bytes, *, purpose: str, org_id: str) -> bytes:
        """The secret. Raises ``MalformedToken``, ``UnknownKey`` and ``SealBroken``."""
        key_id, rest = _split(token)
        key = self._keys.get(key_id)
        if key is None:
            raise UnknownKey(key_id)
        nonce, sealed = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        try:
            return key.decrypt(nonce, sealed, _bound(_head(key_id), purpose, org_id))
        except InvalidTag:
            raise SealBroken(f"a sealed {purpose} does not open") from None

    def needs_resealing(self, token: bytes) -> bool:
        """Whether another key than the current one sealed it. Raises ``MalformedToken``."""
        return key_id_of(token) != self.current


def _check_id(key_id: str) -> None:
    if not _KEY_ID.match(key_id):
        raise InvalidKeyRing(f"{key_id!r} cannot be the id of a key")


def _head(key_id: str) -> bytes:
    encoded = key_id.encode("ascii")
    return bytes((_VERSION, len(encoded))) + encoded


def _split(token: bytes) -> tuple[str, bytes]:
    """Key id, and nonce with ciphertext."""
    if len(token) < 2 or token[0] != _VERSION:
        raise MalformedToken("not a sealed value")
    end = 2 + token[1]
    if len(token) < end + NONCE_BYTES + TAG_BYTES:
        raise MalformedToken("a sealed value was cut")
    try:
        key_id = token[2:end].decode("ascii")
    except UnicodeDecodeError:
        raise MalformedToken("not a sealed value") from None
    if not _KEY_ID.match(key_id):
        raise MalformedToken("not a sealed value")
    return key_id, token[end:]


def _bound(head: bytes, purpose: str, org_id: str) -> bytes:
    """Associated data; lengths go first, so that no two triples give the same bytes."""
    parts = (head, purpose.encode(), org_id.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
