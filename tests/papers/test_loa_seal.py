"""The seal: over the whole file, of the letter as it was shown, and broken by any changed byte."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from papers.checking import check_drawing
from papers.errors import SealFailed
from papers.loa_pdf import render
from papers.loa_seal import SealVerdict, seal, verify
from papers.seal_key import VALID_FOR, SealKey, make_seal_key
from papers.signature import Signature
from papers.signature_pages import render_signature_pages
from tests.papers.files import drawing, written
from tests.papers.loas import AT, CONTENT, KEY, numbered, trail_of

SIGNED_AT = AT + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Sealed:
    letter: bytes
    pages: bytes
    data: bytes


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    letter = render(numbered(150), AT)
    digest = hashlib.sha256(letter).hexdigest()
    signature = Signature(SIGNED_AT, "Žofia", check_drawing(drawing()).data)
    pages = render_signature_pages(CONTENT, digest, signature, trail_of(digest))
    return Sealed(letter, pages, seal(letter, pages, KEY, SIGNED_AT))


def test_the_seal_holds_and_says_whose_it_is(sealed: Sealed) -> None:
    verdict = verify(sealed.data)
    assert verdict.holds
    assert verdict == SealVerdict(
        intact=True,
        certified=True,
        covers_whole=True,
        signer="Trunkline of example.org",
        fingerprint=KEY.fingerprint,
        letter_sha256=hashlib.sha256(sealed.letter).hexdigest(),
        sealed_at=SIGNED_AT,
    )


def test_the_file_begins_with_the_letter_as_it_was_shown(sealed: Sealed) -> None:
    assert sealed.data.startswith(sealed.letter)


def test_the_pages_of_the_signature_are_behind_those_of_the_letter(sealed: Sealed) -> None:
    counts = [
        len(PdfReader(io.BytesIO(data)).pages)
        for data in (sealed.letter, sealed.pages, sealed.data)
    ]
    assert counts[0] + counts[1] == counts[2]
    whole = PdfReader(io.BytesIO(sealed.data))
    assert "Letter of authorization" in whole.pages[0].extract_text()
    assert "/s/ Žofia" in whole.pages[counts[0]].extract_text()
    assert whole.pages[counts[0]].mediabox == whole.pages[0].mediabox
    assert len(whole.pages[counts[0]].images) == 1


def test_a_key_of_the_same_name_has_another_fingerprint(sealed: Sealed) -> None:
    forged = seal(sealed.letter, sealed.pages, make_seal_key(AT, "Trunkline of example.org"), AT)
    verdict = verify(forged)
    assert verdict.holds
    assert verdict.fingerprint != KEY.fingerprint


@given(st.data())
def test_one_changed_byte_breaks_it(sealed: Sealed, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(sealed.data) - 1))
    changed = bytearray(sealed.data)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert not verify(bytes(changed)).holds


def test_a_changed_byte_of_the_seal_itself_breaks_it(sealed: Sealed) -> None:
    begin = sealed.data.index(b"/Contents <") + len(b"/Contents ")
    end = sealed.data.index(b">", begin)
    # Its head, that of what is signed, the signature, what fills it up, and its ends.
    for place in (begin, *range(begin + 1, begin + 200, 9), end - 700, end - 1, end):
        changed = bytearray(sealed.data)
        changed[place] = ord("0") if changed[place] != ord("0") else ord("1")
        assert not verify(bytes(changed)).holds, place - begin


def test_what_is_added_or_cut_off_breaks_it(sealed: Sealed) -> None:
    for changed in (
        sealed.data + b"\n",
        sealed.data + b"%%EOF\n",
        sealed.data[:-1],
        sealed.data[:-6],
        b"\n" + sealed.data,
        with_another_page(sealed.data),
    ):
        assert not verify(changed).holds


def with_another_page(data: bytes) -> bytes:
    writer = PdfWriter(io.BytesIO(data), incremental=True)
    writer.add_blank_page(100, 100)
    return written(writer)


def test_what_was_never_sealed_is_not_intact(sealed: Sealed) -> None:
    for data in (sealed.letter, b"", b"%PDF-1.7", drawing()):
        assert verify(data) == SealVerdict(intact=False)


@pytest.mark.parametrize("at", [AT - timedelta(days=1), AT + VALID_FOR + timedelta(days=1)])
def test_a_key_outside_its_time_seals_nothing(sealed: Sealed, at: datetime) -> None:
    with pytest.raises(SealFailed, match=r"not valid on .* make a new one"):
        seal(sealed.letter, sealed.pages, KEY, at)


def test_only_a_pdf_is_sealed_and_only_once(sealed: Sealed) -> None:
    for letter, pages in (
        (b"hello", sealed.pages),
        (sealed.letter, b"hello"),
        (sealed.data, sealed.pages),
    ):
        with pytest.raises(SealFailed, match="cannot be sealed"):
            seal(letter, pages, KEY, AT)
    with pytest.raises(SealFailed, match="cannot be read"):
        seal(sealed.letter, sealed.pages, SealKey(b"", b""), AT)


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="needs pdfsig of poppler-utils")
def test_poppler_agrees(sealed: Sealed, tmp_path: Path) -> None:
    changed = bytearray(sealed.data)
    changed[len(sealed.letter) // 2] ^= 1
    assert "Total document signed" in said_by_pdfsig(sealed.data, tmp_path)
    assert "Signature is Valid" in said_by_pdfsig(sealed.data, tmp_path)
    assert "Trunkline of example.org" in said_by_pdfsig(sealed.data, tmp_path)
    assert "Signature is Valid" not in said_by_pdfsig(bytes(changed), tmp_path)


def said_by_pdfsig(data: bytes, folder: Path) -> str:
    path = folder / "sealed.pdf"
    path.write_bytes(data)
    done = subprocess.run(
        ["pdfsig", "-nocert", path], capture_output=True, text=True, check=False, cwd=folder
    )
    return done.stdout


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="needs qpdf")
def test_qpdf_finds_nothing_wrong(sealed: Sealed, tmp_path: Path) -> None:
    for data in (sealed.letter, sealed.pages, sealed.data):
        path = tmp_path / "checked.pdf"
        path.write_bytes(data)
        done = subprocess.run(
            ["qpdf", "--check", path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_agrees(sealed: Sealed, tmp_path: Path) -> None:
    """The seal is a detached CMS signature of the bytes around it (RFC 5652)."""
    begin = sealed.data.index(b"/Contents <") + len(b"/Contents ")
    end = sealed.data.index(b">", begin) + 1
    (tmp_path / "cms.der").write_bytes(bytes.fromhex(sealed.data[begin + 1 : end - 1].decode()))
    (tmp_path / "content").write_bytes(sealed.data[:begin] + sealed.data[end:])
    certificate = x509.load_pem_x509_certificate(KEY.certificate_pem)
    (tmp_path / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    done = subprocess.run(
        [
            *("openssl", "cms", "-verify", "-inform", "DER", "-in", "cms.der", "-binary"),
            *("-content", "content", "-certfile", "certificate.pem", "-noverify", "-out", "out"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
