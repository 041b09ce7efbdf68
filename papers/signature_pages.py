"""The pages behind a signed letter: the signature, and the record of how it came about.

Source: ESIGN, 15 U.S.C. 7001(c) and (e), for what was told and that it can be kept; 7006(5) for what a
signature is; 47 CFR 64.1130(i). The record's entries are chained by hashes (``signature_trail``), and the
seal covers the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from domain.porting.loa_text import LoaContent
from domain.porting.signature_trail import SignatureAction, TrailEntry, first_break
from papers.errors import SealFailed
from papers.loa_pdf import footer_lines
from papers.sheets import Sheets
from papers.signature import Signature
from papers.typeface import escaped, printed

__all__ = ["Signature", "render_signature_pages"]

_DRAWING: Final = (90.0, 30.0)
"""Millimetres that a drawn signature has: what a hand needs."""

_SMALL: Final = 8.0


def render_signature_pages(
    content: LoaContent, letter_sha256: str, signature: Signature, trail: Sequence[TrailEntry]
) -> bytes:
    """A PDF of the pages about one signature of the letter whose bytes have this SHA-256 (hex).

    Raises ``SealFailed`` when the record is broken, has no signature in it, or is of another letter, and
    ``UnprintableText`` for a typed name that cannot be shown. The same arguments give the same bytes.
    """
    _check(letter_sha256, signature, trail)
    title = f"Signature of {content.document_id}"
    footer = footer_lines(content)
    with Sheets(title, footer, signature.at, page="Page of the signature") as sheets:
        _signature_page(sheets, content, letter_sha256, signature)
        sheets.add_page()
        _disclosure(sheets, content)
        _record(sheets, trail)
        return sheets.written()


def _check(letter_sha256: str, signature: Signature, trail: Sequence[TrailEntry]) -> None:
    if not signature.typed.strip() and signature.drawing is None:
        raise SealFailed("there is neither a typed nor a drawn signature")
    broken = first_break(trail)
    if broken is not None:
        raise SealFailed(f"the record of the signature is broken at entry {broken + 1}")
    signed = [each.event for each in trail if each.event.action is SignatureAction.SIGNED]
    if not signed:
        raise SealFailed("the record of the signature says of none")
    if any(each.document_before not in {"", letter_sha256} for each in signed):
        raise SealFailed("the record is of a signature of another letter")


def _signature_page(
    sheets: Sheets, content: LoaContent, letter_sha256: str, signature: Signature
) -> None:
    sheets.heading("Signature", 15)
    sheets.paragraph(printed("the statement", content.signature_statement))
    for label, value in content.signature_fields:
        sheets.field(printed("a label", label), printed(f"the field {label!r}", value))
    sheets.field("Signed at", _moment(signature.at))
    sheets.ln(4)
    if signature.drawing is not None:
        sheets.picture(signature.drawing, *_DRAWING)
    if signature.typed.strip():
        # The mark of a signature that is not a hand's.
        sheets.paragraph(f"/s/ {printed('the typed signature', signature.typed)}", 18)
    sheets.rule("Signature")
    sheets.ln(4)
    sheets.paragraph(
        f"This is the electronic signature of the letter {content.document_id} on the pages before. The "
        "letter's bytes are the beginning of this file and have the SHA-256 below. The file is sealed: a "
        "program that verifies signatures of PDFs shows a change of any of its bytes.",
        _SMALL,
    )
    sheets.field("SHA-256 of the letter", letter_sha256, _SMALL)


def _disclosure(sheets: Sheets, content: LoaContent) -> None:
    disclosure = content.disclosure
    sheets.heading("What was shown before the signature", 13)
    sheets.heading(printed("the disclosure", disclosure.title), 10)
    for paragraph in (*disclosure.paragraphs, disclosure.consent):
        sheets.paragraph(printed("the disclosure", paragraph), _SMALL)
    sheets.field("Version", disclosure.version, _SMALL)
    sheets.field("SHA-256", disclosure.sha256, _SMALL)


def _record(sheets: Sheets, trail: Sequence[TrailEntry]) -> None:
    sheets.ln(4)
    sheets.heading("Record of the signature", 13)
    sheets.paragraph(
        "All times are UTC. Each entry's hash (SHA-256) covers the entry and the hash of the entry before.",
        _SMALL,
    )
    for entry in trail:
        event = entry.event
        action = event.action.value.replace("_", " ")
        sheets.heading(f"{entry.seq}  {action}  {_moment(event.at)}", 9)
        for label, value in (
            ("By", event.actor),
            ("E-mail", event.email),
            ("IP address", event.ip),
            ("Program", event.user_agent),
            ("Disclosure", event.disclosure_version),
            ("SHA-256 of the disclosure", event.disclosure_sha256),
            ("Letter before", event.document_before),
            ("Letter after", event.document_after),
            ("Note", event.note),
            ("Hash", entry.hash),
        ):
            if value:
                sheets.field(label, escaped(value), _SMALL)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
