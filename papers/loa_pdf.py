"""The letter of authorization as a PDF.

Content: 47 CFR 64.1130, by ``domain.porting.loa_text``. It is a document of its own; the pages about an
electronic signature come behind it when it is sealed and leave its bytes as they are.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Final

from domain.porting.loa_text import LoaContent
from papers.sheets import Sheets
from papers.typeface import printed

__all__ = ["fingerprint", "footer_lines", "render"]

NUMBER_COLUMNS: Final = 4

_BLOCK_HEIGHT: Final = 70.0
"""Millimetres of the statement with its lines, which stay on one page."""


def render(content: LoaContent, made_at: datetime) -> bytes:
    """The letter, unsigned, on US letter sheets. The same content and time give the same bytes.

    Raises ``UnprintableText`` naming the part of the letter whose characters the font does not have.
    """
    title = printed("the title", content.title)
    with Sheets(title, footer_lines(content), made_at) as sheets:
        sheets.heading(title, 15)
        _fields(sheets, content.fields)
        sheets.ln(3)
        for paragraph in content.paragraphs:
            sheets.paragraph(printed("the text", paragraph))
        numbers = printed("the title of the numbers", content.numbers_title)
        sheets.heading(f"{numbers} ({len(content.numbers)})")
        sheets.columns(
            tuple(printed("a telephone number", each) for each in content.numbers), NUMBER_COLUMNS
        )
        _place_to_sign(sheets, content)
        return sheets.written()


def fingerprint(content: LoaContent) -> str:
    """SHA-256, in hex, of everything that the letter and its disclosure say; it is in each footer."""
    written = json.dumps(asdict(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode("ascii")).hexdigest()


def footer_lines(content: LoaContent) -> tuple[str, ...]:
    """What stands at the bottom of each page that belongs to the letter."""
    return (
        f"Document {content.document_id}, template {content.template_version}",
        f"SHA-256 of the content {fingerprint(content)}",
    )


def _fields(sheets: Sheets, fields: tuple[tuple[str, str], ...]) -> None:
    for label, value in fields:
        sheets.field(printed("a label", label), printed(f"the field {label!r}", value))


def _place_to_sign(sheets: Sheets, content: LoaContent) -> None:
    sheets.keep_together(_BLOCK_HEIGHT)
    sheets.heading("Signature")
    sheets.paragraph(printed("the statement", content.signature_statement))
    _fields(sheets, content.signature_fields)
    sheets.rule("Signature")
    sheets.rule("Date")
    sheets.ln(1)
    sheets.paragraph(
        "Signed electronically, these lines stay empty: the signature and its record are on the "
        "pages behind the letter.",
        8,
    )
