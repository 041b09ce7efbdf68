"""What every document store promises: bytes under a key, whole or not at all.

A key is written once with its bytes and may be written again with the same; whoever calls makes keys that
nobody else makes. What a document is, whose it is and how long it is kept, is in PostgreSQL.

    DocumentStoreError (StorageError)
    ├── DocumentMissing            nothing is stored under the key
    └── DocumentStoreUnavailable   the store cannot be reached, refuses, or its disk is full
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final, Protocol

from storage.errors import StorageError

__all__ = [
    "CHUNK_BYTES",
    "MAX_KEY",
    "DocumentMissing",
    "DocumentStore",
    "DocumentStoreError",
    "DocumentStoreUnavailable",
    "InvalidDocumentKey",
    "check_key",
    "read_whole",
]

CHUNK_BYTES: Final = 64 * 1024
"""What is read at once: one answer of the API never holds a document whole."""

MAX_KEY: Final = 200
"""Characters; far below the 1024 bytes of S3 and the 255 of a file's name in each of the parts."""

_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_KEY: Final = re.compile(rf"{_PART}(?:/{_PART}){{0,7}}\Z")
"""A part begins with no dot, so that none is ``.``, ``..``, hidden, or a file that is being written."""


class DocumentStoreError(StorageError):
    """Root of the errors of document stores; never raised itself."""


class DocumentMissing(DocumentStoreError):
    """Nothing is stored under the key, or not any more."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no document is stored as {key}")
        self.key = key


class DocumentStoreUnavailable(DocumentStoreError):
    """The store did not do it; trying again later may succeed."""


class InvalidDocumentKey(ValueError):
    """A key that no store takes: a mistake of ours, never of a customer."""


class DocumentStore(Protocol):
    """A place for documents. Every method raises ``DocumentStoreUnavailable`` when it cannot be reached and
    ``InvalidDocumentKey`` for a key that ``check_key`` refuses; a cancelled ``put`` leaves the key as it
    was or written whole."""

    async def put(self, key: str, content: bytes | AsyncIterable[bytes]) -> None:
        """Store the bytes under the key, in the place of what was there. When this returns they outlive
        the process; when it raises, also from within ``content``, the key is as it was."""
        ...

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """The bytes, in chunks of up to ``CHUNK_BYTES``. Raises ``DocumentMissing`` here, before the first
        chunk, so that a status can still be chosen. Leaving the iterator early releases what it holds."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the bytes; that there are none is not an error, so it can be repeated."""
        ...

    async def exists(self, key: str) -> bool:
        """Whether bytes are stored under the key."""
        ...

    async def close(self) -> None:
        """Let go of threads and connections; nothing may be asked afterwards. Idempotent."""
        ...


async def read_whole(store: DocumentStore, key: str) -> bytes:
    """All the bytes of a document, which the store bounds no more than who put them. Raises as ``open``."""
    return b"".join([chunk async for chunk in await store.open(key)])


def check_key(key: str) -> str:
    """The key itself. It is 1 to ``MAX_KEY`` characters, up to eight parts between slashes, each of ASCII
    letters, digits, ``_``, ``.`` and ``-``, none beginning with a dot or a dash.

    Raises ``InvalidDocumentKey``.
    """
    if len(key) > MAX_KEY or not _KEY.match(key):
        raise InvalidDocumentKey(f"{key[:MAX_KEY]!r} cannot be the key of a document")
    return key
