"""What a file is, by its content; its name must not contradict."""

from __future__ import annotations

import pytest

from papers.checking import check_upload
from papers.errors import INVALID_FILE_TYPE, InvalidFile
from papers.file_types import MAX_NAME, FileType, shown_name
from tests.papers.files import archive, bill, picture

GOOD = {
    FileType.PDF: bill(2),
    FileType.JPEG: picture("JPEG"),
    FileType.PNG: picture("PNG"),
    FileType.GIF: picture("GIF", "P"),
    FileType.WEBP: picture("WEBP"),
}
ENDINGS = {
    FileType.PDF: ("bill.pdf", "BILL.PDF"),
    FileType.JPEG: ("bill.jpg", "bill.JPEG", "bill.jpe"),
    FileType.PNG: ("bill.png",),
    FileType.GIF: ("bill.gif",),
    FileType.WEBP: ("bill.webp",),
}


@pytest.mark.parametrize("kind", FileType)
def test_each_kind_is_taken_under_its_names_and_under_none(kind: FileType) -> None:
    for name in (*ENDINGS[kind], "blob", ""):
        taken = check_upload(GOOD[kind], name)
        assert taken.media_type is kind
        assert taken.pages == (2 if kind is FileType.PDF else 1)


@pytest.mark.parametrize("kind", FileType)
def test_a_name_that_says_another_kind_is_refused(kind: FileType) -> None:
    for name in ("bill.exe", *(ENDINGS[other][0] for other in FileType if other is not kind)):
        with pytest.raises(InvalidFile, match="ends in") as refused:
            check_upload(GOOD[kind], name)
        assert refused.value.code == INVALID_FILE_TYPE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF",
        b"\xff\xd8",
        b"hello",
        b"MZ" + bytes(100),
        archive(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture("TIFF"),
        picture("BMP"),
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
    ids=range(10),
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFile, match="not a PDF, JPEG, PNG, GIF or WebP"):
        check_upload(data, "bill.pdf")


@pytest.mark.parametrize("before", [b"\n", b"\xef\xbb\xbf", b"junk" * 200])
def test_a_pdf_that_begins_later_is_refused(before: bytes) -> None:
    with pytest.raises(InvalidFile, match="does not begin as a PDF"):
        check_upload(before + bill(), "bill.pdf")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\Users\\me\\bill.pdf", "bill.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("Rechnung März.pdf", "Rechnung März.pdf"),
        ("...", "document"),
        ("", "document"),
        ("x" * 300 + ".pdf", "x" * (MAX_NAME - 4) + ".pdf"),
    ],
)
def test_names_are_shown_without_what_could_mislead(name: str, shown: str) -> None:
    assert shown_name(name) == shown
