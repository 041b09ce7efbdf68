"""What a file is once it was checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from papers.file_types import FileType

__all__ = ["CheckedUpload", "checked"]


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """A document as it is stored.

    ``data`` are the bytes to store: a PDF's own, a picture's made anew. ``sha256`` is theirs, in hex.
    ``pages`` is 1 for a picture. ``name`` is the file's, for people: printable, without folders.
    """

    media_type: FileType
    data: bytes = field(repr=False)
    sha256: str
    pages: int
    name: str = field(repr=False)


def checked(media_type: FileType, data: bytes, pages: int, name: str) -> CheckedUpload:
    """A document of these bytes, which were checked."""
    return CheckedUpload(media_type, data, hashlib.sha256(data).hexdigest(), pages, name)
