"""The pages behind a letter: the signature, what was told before it, and how it came about."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from pypdf import PdfReader

from domain.porting.signature_trail import SignatureAction
from papers.checking import check_drawing
from papers.errors import SealFailed, UnprintableText
from papers.signature import Signature
from papers.signature_pages import render_signature_pages
from tests.papers.files import drawing
from tests.papers.loas import AT, CONTENT, trail_of

SHA256 = hashlib.sha256(b"the letter").hexdigest()
TYPED = Signature(AT, "Žofia Щербакова")
DRAWN = Signature(AT, drawing=check_drawing(drawing()).data)


def text_of(data: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages
    )


def test_a_typed_signature_is_shown_as_one() -> None:
    text = text_of(render_signature_pages(CONTENT, SHA256, TYPED, trail_of(SHA256)))
    assert "/s/ Žofia Щербакова" in text
    assert "Signed at 2026-11-23 17:00:00 UTC" in text
    assert f"SHA-256 of the letter {SHA256}" in text
    assert CONTENT.signature_statement in text


def test_a_drawn_signature_is_shown_as_drawn() -> None:
    data = render_signature_pages(CONTENT, SHA256, DRAWN, trail_of(SHA256))
    [image] = PdfReader(io.BytesIO(data)).pages[0].images
    assert image.image is not None
    assert image.image.size == (400, 120)
    assert "/s/" not in text_of(data)


def test_what_was_told_and_every_step_is_on_record() -> None:
    trail = trail_of(SHA256)
    text = text_of(render_signature_pages(CONTENT, SHA256, TYPED, trail))
    disclosure = CONTENT.disclosure
    for each in (disclosure.title, *disclosure.paragraphs, disclosure.consent, disclosure.sha256):
        assert each in text
    for entry in trail:
        action = entry.event.action.replace("_", " ")
        assert f"{entry.seq} {action} 2026-11-23 17:00:0{entry.seq - 1} UTC" in text
        assert entry.hash in text
    assert "2001:db8::1" in text
    assert "Firefox/140.0 \\u{1f98a}" in text
    assert "Žofia \\u{738b}" in text


def test_a_long_record_flows_over_pages() -> None:
    actions = (*(SignatureAction.REMINDER_SENT,) * 60, SignatureAction.SIGNED)
    data = render_signature_pages(CONTENT, SHA256, TYPED, trail_of(SHA256, actions))
    assert text_of(data).count("reminder sent") == 60
    assert text_of(data).count("Page of the signature") == len(PdfReader(io.BytesIO(data)).pages)


def test_the_same_signature_makes_the_same_pages() -> None:
    first = render_signature_pages(CONTENT, SHA256, DRAWN, trail_of(SHA256))
    assert render_signature_pages(CONTENT, SHA256, DRAWN, trail_of(SHA256)) == first


def test_a_record_that_does_not_hold_is_refused() -> None:
    trail = trail_of(SHA256)
    cut = [trail[0], *trail[2:]]
    unsigned = trail_of(SHA256, (SignatureAction.LINK_SENT,))
    for record, why in (
        (cut, "broken at entry 2"),
        (unsigned, "says of none"),
        ([], "says of none"),
        (trail_of("e" * 64), "another letter"),
    ):
        with pytest.raises(SealFailed, match=why):
            render_signature_pages(CONTENT, SHA256, TYPED, record)


def test_a_signature_is_typed_or_drawn() -> None:
    with pytest.raises(SealFailed, match="neither"):
        render_signature_pages(CONTENT, SHA256, Signature(AT, "  "), trail_of(SHA256))
    with pytest.raises(UnprintableText, match="the typed signature"):
        render_signature_pages(CONTENT, SHA256, replace(TYPED, typed="王"), trail_of(SHA256))


def test_neither_is_shown_in_logs() -> None:
    assert "Žofia" not in repr(TYPED)
    assert "PNG" not in repr(DRAWN)
