"""Whether a file that somebody sent is a document that we take, decided in the process that asks.

Files of strangers can keep a parser busy and fill the memory, so a server asks ``papers.uploads``, which
has this done in a process of its own.
"""

from __future__ import annotations

from typing import Final

from papers.checked import CheckedUpload, checked
from papers.errors import InvalidFile
from papers.file_types import FileType, check_extension, check_single, file_type_of, shown_name

__all__ = ["MAX_DRAWING_BYTES", "TOO_MUCH", "check_drawing", "check_upload"]

MAX_DRAWING_BYTES: Final = 200_000
"""A drawn signature is lines on nothing; those of phones have 5 to 40 kB."""

TOO_MUCH: Final = (
    "the file takes too much time or memory to read: print it into a new PDF and upload that"
)


def check_upload(data: bytes, name: str) -> CheckedUpload:
    """The document that a file of this name is: PDF, JPEG, PNG, GIF or WebP by its content, which the
    name's extension must not contradict (API contract 6.2).

    Raises ``InvalidFile`` and nothing else, whatever the bytes are.
    """
    kind = file_type_of(data)
    check_extension(name, kind)
    check_single(data, kind)
    # The parsers are loaded by who needs them: a process checks one file.
    try:
        if kind is FileType.PDF:
            from papers.pdfs import check_pdf

            return checked(kind, data, check_pdf(data), shown_name(name))
        from papers.pictures import encode_anew

        return checked(kind, encode_anew(data, kind), 1, shown_name(name))
    except InvalidFile:
        raise
    except Exception as error:
        # What a parser raises for a damaged file can be anything.
        raise _unreadable(error) from error


def check_drawing(data: bytes) -> CheckedUpload:
    """A drawn signature: a PNG of at most ``MAX_DRAWING_BYTES``, with something on it.

    Raises ``InvalidFile`` and nothing else, whatever the bytes are.
    """
    if len(data) > MAX_DRAWING_BYTES or file_type_of(data) is not FileType.PNG:
        raise InvalidFile(
            f"a drawn signature is a PNG of at most {MAX_DRAWING_BYTES // 1000} kB: draw it in the field"
        )
    check_single(data, FileType.PNG)
    try:
        from papers.pictures import encode_drawing

        return checked(FileType.PNG, encode_drawing(data), 1, "signature.png")
    except InvalidFile:
        raise
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> InvalidFile:
    if isinstance(error, MemoryError):
        return InvalidFile(TOO_MUCH, detail=type(error).__name__)
    return InvalidFile(
        "the file is damaged or incomplete: open it, save it anew, and upload that",
        detail=type(error).__name__,
    )
