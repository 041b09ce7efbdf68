"""Which of the five kinds of file it is, by how it begins, and whether it is another kind as well.

Sources: API contract 6.2 for the kinds and that content and extension must agree; ISO 32000-2 7.5,
ISO/IEC 10918-1 B.1.1.3, W3C PNG 5.2, GIF89a 17 and RFC 9649 2.4 for the beginnings. A file that two
programs read as two kinds (a polyglot) passes a look at its beginning, so the signs of what must never
come with a document are looked for everywhere in it.
"""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from papers.errors import InvalidFile

__all__ = ["FileType", "check_extension", "check_single", "file_type_of", "shown_name"]

MAX_NAME: Final = 120
"""Characters of a file's name that are kept: no list of documents is wider."""


class FileType(StrEnum):
    """The media types of documents."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    WEBP = "image/webp"


_EXTENSIONS: Final = {
    ".pdf": FileType.PDF,
    ".jpg": FileType.JPEG,
    ".jpeg": FileType.JPEG,
    ".jpe": FileType.JPEG,
    ".jfif": FileType.JPEG,
    ".png": FileType.PNG,
    ".gif": FileType.GIF,
    ".webp": FileType.WEBP,
}

_BEGINNINGS: Final = (
    (FileType.PDF, re.compile(rb"%PDF-[12]\.[0-9]")),
    (FileType.JPEG, re.compile(rb"\xff\xd8\xff")),
    (FileType.PNG, re.compile(rb"\x89PNG\r\n\x1a\n")),
    (FileType.GIF, re.compile(rb"GIF8[79]a")),
    (FileType.WEBP, re.compile(rb"RIFF....WEBP", re.DOTALL)),
)

# Each is so long that ten megabytes of compressed picture have it by chance once in ten thousand files.
_PDF_WITHIN: Final = re.compile(rb"%PDF-[12]\.")
_PAGE_WITHIN: Final = re.compile(rb"<!doctype\s+html|<html[\s>]|<script[\s>]|<\?php\s", re.I)
_ARCHIVE_WITHIN: Final = re.compile(rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c")


def file_type_of(data: bytes) -> FileType:
    """The kind that the file begins as, at its first byte. Raises ``InvalidFile``."""
    for kind, beginning in _BEGINNINGS:
        if beginning.match(data):
            return kind
    if _PDF_WITHIN.search(data, 0, 1024 + 8):
        # Readers look for the beginning within the first 1024 bytes; whatever is before it is not a PDF.
        raise InvalidFile(
            "the file does not begin as a PDF does, although a PDF is in it: "
            "print it into a new PDF and upload that"
        )
    raise InvalidFile(
        "the file is not a PDF, JPEG, PNG, GIF or WebP: save it as a PDF and upload that"
    )


def check_extension(name: str, kind: FileType) -> None:
    """Refuse a name whose extension says another kind. A name without one says nothing.

    Raises ``InvalidFile``.
    """
    suffix = PurePosixPath(shown_name(name)).suffix.lower()
    if suffix and _EXTENSIONS.get(suffix) is not kind:
        raise InvalidFile(
            f"the file's name ends in {suffix}, but it is {_NAMES[kind]}: "
            f"give it its right ending, or upload a PDF, JPEG, PNG, GIF or WebP"
        )


def check_single(data: bytes, kind: FileType) -> None:
    """Refuse a file that is something else as well. Raises ``InvalidFile``."""
    if zipfile.is_zipfile(io.BytesIO(data)) or _ARCHIVE_WITHIN.search(data):
        raise InvalidFile(f"the file is {_NAMES[kind]} and an archive at once: {_ANEW[kind]}")
    if kind is FileType.PDF:
        return
    if _PDF_WITHIN.search(data):
        raise InvalidFile(f"the file is {_NAMES[kind]} and a PDF at once: {_ANEW[kind]}")
    if _PAGE_WITHIN.search(data):
        raise InvalidFile(f"the file is {_NAMES[kind]} and a web page at once: {_ANEW[kind]}")


def shown_name(name: str) -> str:
    """The last part of a file's name, without what cannot be printed, ``MAX_NAME`` characters long at
    most with its extension kept; ``document`` when nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    printed = "".join(each for each in last if each.isprintable()).strip(" .") or "document"
    if len(printed) <= MAX_NAME:
        return printed
    suffix = PurePosixPath(printed).suffix[:16]
    return printed[: MAX_NAME - len(suffix)] + suffix


_NAMES: Final = {
    FileType.PDF: "a PDF",
    FileType.JPEG: "a JPEG picture",
    FileType.PNG: "a PNG picture",
    FileType.GIF: "a GIF picture",
    FileType.WEBP: "a WebP picture",
}

_ANEW: Final = {
    kind: (
        "print it into a new PDF and upload that"
        if kind is FileType.PDF
        else "take the picture again, or save it as a PDF, and upload that"
    )
    for kind in FileType
}
