"""Documents as files of one folder, for one machine or a shared file system.

Folders are made with mode 0700 and files with 0600. A file is written beside its place, brought to the
disk, and renamed, which POSIX does atomically: who opens it sees the bytes before or the bytes after.
A process that dies in between leaves a file whose name begins with ``WRITING``, which no key can name.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar

from storage.documents.base import (
    CHUNK_BYTES,
    DocumentMissing,
    DocumentStoreUnavailable,
    InvalidDocumentKey,
    check_key,
)

__all__ = ["WRITING", "LocalDocuments"]

WRITING: Final = ".writing-"

P = ParamSpec("P")
T = TypeVar("T")


class LocalDocuments:
    """A ``DocumentStore`` in a folder, which is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: bytes | AsyncIterable[bytes]) -> None:
        """See ``DocumentStore.put``."""
        place = await _in_thread(_place, self._folder, key)
        file, path = await _in_thread(_begin, self._folder, place.parent)
        try:
            if isinstance(content, bytes):
                await _in_thread(file.write, content)
            else:
                async for chunk in content:
                    await _in_thread(file.write, chunk)
            await _in_thread(_finish, file, path, place)
        finally:
            # Not in a thread: a task that is being cancelled leaves no file behind either.
            _discard(file, path)

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """See ``DocumentStore.open``."""
        place = await _in_thread(_place, self._folder, key)
        try:
            file = await _in_thread(_open, place)
        except FileNotFoundError:
            raise DocumentMissing(key) from None
        return _chunks(file)

    async def delete(self, key: str) -> None:
        """See ``DocumentStore.delete``."""
        place = await _in_thread(_place, self._folder, key)
        with suppress(FileNotFoundError):
            await _in_thread(_delete, place)

    async def exists(self, key: str) -> bool:
        """See ``DocumentStore.exists``."""
        place = await _in_thread(_place, self._folder, key)
        return await _in_thread(place.is_file)

    async def close(self) -> None:
        """See ``DocumentStore.close``."""


async def _in_thread(do: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """What it returns; what the system refuses is ``DocumentStoreUnavailable``, save a missing file."""
    try:
        return await asyncio.to_thread(do, *args, **named)
    except FileNotFoundError:
        raise
    except OSError as error:
        # The path stays out: an error's text goes further than the machine.
        said = os.strerror(error.errno) if error.errno else type(error).__name__
        raise DocumentStoreUnavailable(f"the folder of documents: {said}") from error


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while chunk := await _in_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()


def _place(folder: Path, key: str) -> Path:
    """Raises ``InvalidDocumentKey``, also when a link in the folder leads out of it."""
    root = folder.resolve()
    place = (root / check_key(key)).resolve()
    if not place.is_relative_to(root):
        raise InvalidDocumentKey(f"{key!r} leads out of the folder of documents")
    return place


def _begin(root: Path, folder: Path) -> tuple[BinaryIO, Path]:
    """A new file, which only its owner may read, in the folder that the document comes to."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        # One by one: ``parents`` would make those above with the process's default mode.
        each.mkdir(mode=0o700, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=WRITING, dir=folder)
    return os.fdopen(number, "wb"), Path(name)


def _finish(file: BinaryIO, path: Path, place: Path) -> None:
    """Bring it to the disk, then to its place, then the folder's entry to the disk (fsync(2))."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
    path.replace(place)
    _sync_folder(place.parent)


def _discard(file: BinaryIO, path: Path) -> None:
    with suppress(OSError):
        # Closing flushes, and that is what a full disk refuses.
        file.close()
    path.unlink(missing_ok=True)


def _open(place: Path) -> BinaryIO:
    if place.is_dir():
        raise FileNotFoundError(place.name)
    return place.open("rb")


def _delete(place: Path) -> None:
    if place.is_file():
        place.unlink()
        _sync_folder(place.parent)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
