"""PDFs that people upload: every object of the file is read, and none may do anything but be looked at.

Sources: ISO 32000-2 12.6 (actions), 7.11.4 (embedded files), 12.7.8 (XFA in ISO 32000-1), 13 (media),
7.6 (encryption), 7.5.7 (object streams). pypdf reads the objects that the file lists, those in object
streams with them; what it does not list, and another reader might find, is looked for in the bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    PdfObject,
    StreamObject,
)

from papers.errors import InvalidFile

__all__ = ["MAX_PAGES", "check_pdf"]

MAX_PAGES: Final = 1000
"""A bill of ten megabytes has fewer."""

MAX_OBJECTS: Final = 60_000
"""Sixty for each of a thousand pages; to read so many takes seven seconds."""

_PRINT_ANEW: Final = "print it into a new PDF and upload that"

_KEYS: Final = {
    "/JS": "a script",
    "/JavaScript": "a script",
    "/XFA": "an XFA form",
    "/EF": "an attached file",
    "/EmbeddedFiles": "an attached file",
    "/Collection": "a collection of files",
    "/RichMediaContent": "moving media",
}
_ACTIONS: Final = {
    "/JavaScript": "a script",
    "/Launch": "a command to start a program",
    "/SubmitForm": "a form that sends itself",
    "/ImportData": "a form that loads data",
    "/ResetForm": "a form with actions",
    "/GoToR": "a jump into another file",
    "/GoToE": "a jump into an attached file",
    "/Rendition": "moving media",
    "/Movie": "moving media",
    "/Sound": "moving media",
    "/RichMediaExecute": "moving media",
    "/GoTo3DView": "moving media",
}
_SUBTYPES: Final = {
    "/FileAttachment": "an attached file",
    "/RichMedia": "moving media",
    "/Movie": "moving media",
    "/Screen": "moving media",
    "/Sound": "moving media",
    "/3D": "moving media",
}
_HIDDEN: Final = re.compile(
    rb"/(?:JavaScript|EmbeddedFiles?|RichMedia|Launch|SubmitForm|ImportData)(?![A-Za-z0-9])"
)
"""Names long enough that no picture has them by chance."""
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_ENDS: Final = b"%%EOF"
_SPACE: Final = b"\x00\t\n\x0c\r "


def check_pdf(data: bytes) -> int:
    """How many pages it has, 1 to ``MAX_PAGES``. Raises ``InvalidFile`` when it is encrypted, active,
    damaged, or does not end where it ends, and what pypdf raises for what it cannot read."""
    end = data.rfind(_ENDS)
    if end < 0:
        raise InvalidFile(f"the PDF is cut off: upload it again, or {_PRINT_ANEW}")
    if data[end + len(_ENDS) :].strip(_SPACE):
        raise InvalidFile(f"something follows the end of the PDF: {_PRINT_ANEW}")
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        raise InvalidFile(
            "the PDF is encrypted, even if it opens without a password: "
            f"save it without protection, or {_PRINT_ANEW}"
        )
    _look_at(reader.trailer)
    for each in _objects(reader):
        _look_at(each)
        if isinstance(each, StreamObject) and each.get("/Type") == "/ObjStm":
            # Also those of its objects that the file does not list.
            _look_for_names(each.get_data())
    _look_for_names(data)
    return _count_pages(reader)


def _objects(reader: PdfReader) -> Iterator[PdfObject | None]:
    """Every object that the file lists. Raises ``InvalidFile`` when those are too many."""
    listed = {(number, 0) for number in reader.xref_objStm}
    listed |= {(number, kept) for kept, table in reader.xref.items() for number in table}
    if len(listed) > MAX_OBJECTS:
        raise InvalidFile(f"the PDF has too many parts: {_PRINT_ANEW}")
    for number, kept in sorted(listed):
        yield reader.get_object(IndirectObject(number, kept, reader))


def _look_at(whole: PdfObject | None) -> None:
    """Refuse an object that does something. What it refers to is an object of its own."""
    waiting = [whole]
    while waiting:
        each = waiting.pop()
        if isinstance(each, DictionaryObject):
            _look_at_dictionary(each)
            waiting.extend(dict.values(each))
        elif isinstance(each, ArrayObject):
            waiting.extend(list.__iter__(each))


def _look_at_dictionary(found: DictionaryObject) -> None:
    for key in found:
        if key in _KEYS:
            raise _active(_KEYS[key])
    for key, kinds in (("/S", _ACTIONS), ("/Subtype", _SUBTYPES)):
        kind = found.get(key)
        if isinstance(kind, NameObject) and kind in kinds:
            raise _active(kinds[kind])
    if found.get("/Type") == "/EmbeddedFile":
        raise _active("an attached file")
    if isinstance(found, StreamObject) and "/F" in found:
        raise _active("a part that is in another file")


def _look_for_names(data: bytes) -> None:
    plain = _ESCAPED.sub(lambda each: bytes((int(each[1], 16),)), data) if b"#" in data else data
    if _HIDDEN.search(plain):
        raise _active("a script, a command or an attached file")


def _active(what: str) -> InvalidFile:
    return InvalidFile(f"the PDF contains {what}: {_PRINT_ANEW}")


def _count_pages(reader: PdfReader) -> int:
    pages = 0
    for page in reader.pages:
        pages += 1
        if pages > MAX_PAGES:
            raise InvalidFile(f"the PDF has more than {MAX_PAGES} pages: upload those of the bill")
        if page.mediabox.width <= 0 or page.mediabox.height <= 0:
            raise InvalidFile(f"a page of the PDF has no size: {_PRINT_ANEW}")
    if not pages:
        raise InvalidFile(f"the PDF has no page: {_PRINT_ANEW}")
    return pages
