"""The letter as a PDF: everything that must stand in it, on as many pages as it needs, the same each time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from papers.checking import check_upload
from papers.errors import UnprintableText
from papers.loa_pdf import fingerprint, render
from papers.typeface import escaped, printed, unprintable
from tests.papers.loas import AT, CONTENT, numbered


def pages_of(data: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages]


def test_everything_is_on_it() -> None:
    text = "".join(pages_of(render(CONTENT, AT)))
    for label, value in (*CONTENT.fields, *CONTENT.signature_fields):
        assert label in text
        assert value in text
    for each in (
        CONTENT.title,
        *CONTENT.paragraphs,
        f"{CONTENT.numbers_title} (3)",
        *CONTENT.numbers,
        CONTENT.signature_statement,
    ):
        assert each in text


def test_hundreds_of_numbers_flow_over_pages() -> None:
    content = numbered(600)
    pages = pages_of(render(content, AT))
    assert len(pages) == 4
    text = "".join(pages)
    assert all(text.count(number) == 1 for number in content.numbers)


@pytest.mark.parametrize("count", range(0, 140, 7))
def test_the_statement_and_its_lines_are_on_one_page(count: int) -> None:
    *_, last = pages_of(render(numbered(count), AT))
    assert CONTENT.signature_statement in last
    assert "Signature Date" in last


def test_each_page_names_the_document_and_its_content() -> None:
    content = numbered(300)
    pages = pages_of(render(content, AT))
    for number, page in enumerate(pages, start=1):
        assert "Document port_abc123-1, template 2026-11" in page
        assert f"SHA-256 of the content {fingerprint(content)}" in page
        assert f"Page {number} of {len(pages)}" in page


def test_another_content_has_another_fingerprint() -> None:
    others = (
        replace(CONTENT, numbers=CONTENT.numbers[:2]),
        replace(CONTENT, fields=CONTENT.fields[:1]),
        replace(CONTENT, disclosure=replace(CONTENT.disclosure, consent="No.")),
    )
    assert len({fingerprint(each) for each in (CONTENT, *others)}) == 4


def test_the_same_letter_has_the_same_bytes_in_any_process_and_zone() -> None:
    script = (
        "import sys; from papers.loa_pdf import render; from tests.papers.loas import AT, CONTENT; "
        "sys.stdout.buffer.write(render(CONTENT, AT))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    letter = render(CONTENT, AT)
    assert done.stdout == letter
    assert render(CONTENT, AT.astimezone(timezone(timedelta(hours=-8)))) == letter
    assert render(CONTENT, AT + timedelta(seconds=1)) != letter


def test_our_own_letter_is_a_document_that_we_take() -> None:
    assert check_upload(render(numbered(300), AT), "loa.pdf").pages == 3


@pytest.mark.parametrize(
    "name",
    [
        "Françoise Müller-Østergård",
        "Łukasz Żółć, Ştefan Ţepeş",
        "Nguyễn Thị Thùy Dương",
        "Παναγιώτης Δημητρίου",
        "Щербаков Іван Ґудзь",
        "O\u2019Brien & Søn \u2013 \u201cBest\u201d №1, €5",
    ],
)
def test_names_of_europe_and_vietnam_are_shown(name: str) -> None:
    content = replace(CONTENT, fields=(("Name", name),))
    assert name in "".join(pages_of(render(content, AT)))


def test_letters_with_their_diacritics_apart_are_shown_together() -> None:
    content = replace(CONTENT, fields=(("Name", "Nguye\u0302\u0303n"),))
    assert "Nguyễn" in "".join(pages_of(render(content, AT)))


@pytest.mark.parametrize(
    "name", ["株式会社", "محمد", "ישראל", "अमित", "🦊 Inc", "a\x00b", "\ufffd"]
)
def test_a_script_that_the_font_does_not_have_is_refused_by_name(name: str) -> None:
    content = replace(CONTENT, fields=(("Name on the account", name),))
    with pytest.raises(
        UnprintableText, match=r"the field 'Name on the account'.*write it in Latin"
    ):
        render(content, AT)


def test_text_cannot_break_out_of_its_place() -> None:
    content = replace(
        CONTENT,
        fields=(("Name", "**Bold** {nb}\n\nTelephone numbers\t(0) <b>x</b>"),),
        numbers=(),
    )
    assert "Name **Bold** {nb} Telephone numbers (0) <b>x</b>" in pages_of(render(content, AT))[0]


def test_a_long_word_stays_within_the_page() -> None:
    content = replace(CONTENT, fields=(("Name", "W" * 400), ("Next", "after")))
    text = "".join("".join(pages_of(render(content, AT))).split())
    assert "W" * 400 in text
    assert "Nextafter" in text


def test_a_long_text_beside_its_label_goes_on_over_the_next_page() -> None:
    words = " ".join(f"word{number}" for number in range(1500))
    content = replace(CONTENT, fields=(("Name", words), ("Next", "after")))
    pages = pages_of(render(content, AT))
    text = " ".join(page.split(" Document port_abc123-1")[0] for page in pages)
    assert words in text
    assert "word1499 Next after" in text


@given(st.text(max_size=40))
def test_what_can_be_printed_is_known_before(text: str) -> None:
    missing = unprintable(text)
    if missing:
        with pytest.raises(UnprintableText) as refused:
            printed("it", text)
        assert refused.value.characters == missing
    else:
        assert printed("it", text) == escaped(text)
    assert not unprintable(escaped(text))
