"""Files that are two things at once, and files that nobody thought of."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from papers.checking import check_drawing, check_upload
from papers.errors import InvalidFile
from papers.file_types import FileType
from tests.papers.files import archive, bill, drawing, picture, raw_pdf

SCRIPT = b"<script>alert(1)</script>"


def with_text(text: bytes) -> bytes:
    noted = PngInfo()
    noted.add_text("Comment", text.decode("latin-1"))
    return picture("PNG", pnginfo=noted)


POLYGLOTS = {
    "GIF and PDF in a comment": picture("GIF", "P", comment=b"%PDF-1.7\n1 0 obj"),
    "GIF and PDF behind": picture("GIF", "P") + bill(),
    "PNG and archive": picture("PNG") + archive(),
    "PNG and archive with a comment behind": picture("PNG") + archive()[:-2] + b"\x03\x00abc",
    "PNG and page": with_text(b"<HTML ><body>"),
    "JPEG and page": picture("JPEG") + b"<!DOCTYPE html><html>",
    "JPEG and script in a comment": picture("JPEG", comment=SCRIPT),
    "JPEG and PHP": picture("JPEG", comment=b"<?php system($_GET[0]); ?>"),
    "JPEG and PDF": picture("JPEG", comment=b"%PDF-1.4"),
    "WebP and archive": picture("WEBP") + archive(),
    "PNG and RAR": picture("PNG") + b"Rar!\x1a\x07\x01\x00",
    "PNG and 7z": picture("PNG") + b"7z\xbc\xaf\x27\x1c",
    "PDF and archive behind": bill() + archive(),
    "PDF and archive within": raw_pdf(
        "<< /Length 0 >>\nstream\n" + archive().decode("latin-1") + "\nendstream"
    ),
    "PDF and archive before its end": bill() + archive() + b"\n%%EOF",
}


@pytest.mark.parametrize("data", POLYGLOTS.values(), ids=POLYGLOTS.keys())
def test_a_file_that_is_two_things_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFile, match=r"at once|follows the end|damaged"):
        check_upload(data, "")


def test_what_a_phone_appends_to_a_photo_is_left_out() -> None:
    photo = picture("JPEG")
    taken = check_upload(photo + b"SEFH\x00\x00ftypmp42" + bytes(100), "photo.jpg")
    assert b"SEFH" not in taken.data
    assert Image.open(io.BytesIO(taken.data)).size == (60, 40)


GOOD = [
    bill(2),
    raw_pdf("<< /A [1 2 (x)] >>"),
    picture("JPEG"),
    picture("PNG", "RGBA"),
    picture("GIF", "P"),
    picture("WEBP"),
]
NAMES = st.sampled_from(["", "a.pdf", "a.jpg", "a.png", "a.gif", "a.webp"])


def taken_or_refused(data: bytes, name: str) -> None:
    try:
        taken = check_upload(data, name)
    except InvalidFile:
        return
    again = check_upload(taken.data, name)
    assert again.media_type is taken.media_type
    assert taken.media_type is not FileType.PDF or taken.data == data


@given(st.binary(max_size=300), st.sampled_from([data[:12] for data in GOOD] + [b""]), NAMES)
def test_noise_is_taken_or_refused(noise: bytes, beginning: bytes, name: str) -> None:
    taken_or_refused(beginning + noise, name)


@given(st.sampled_from(GOOD), NAMES, st.data())
def test_a_changed_file_is_taken_or_refused(good: bytes, name: str, data: st.DataObject) -> None:
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(changed)))
        end = min(len(changed), start + data.draw(st.integers(0, 8)))
        changed[start:end] = data.draw(st.binary(max_size=8))
    taken_or_refused(bytes(changed), name)


@given(st.data())
def test_a_changed_drawing_is_taken_or_refused(data: st.DataObject) -> None:
    changed = bytearray(drawing())
    start = data.draw(st.integers(0, len(changed)))
    changed[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    with suppress(InvalidFile):
        assert check_drawing(bytes(changed)).pages == 1
