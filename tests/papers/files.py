"""Files that people send: good ones, and what is made to harm."""

from __future__ import annotations

import io
import zipfile

from PIL import Image, ImageDraw
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, PdfObject

__all__ = ["animated", "archive", "bill", "damaged_after", "drawing", "picture", "raw_pdf"]


def bill(pages: int = 1, **root: PdfObject) -> bytes:
    """A PDF; ``root`` are further entries of its catalogue, without the slash."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=612, height=792)
    for key, value in root.items():
        writer.root_object[NameObject(f"/{key}")] = value
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def raw_pdf(*objects: str, root: str = "", kids: str = "[3 0 R]", count: int = 1) -> bytes:
    """A PDF written by hand: a catalogue with ``root``, one page, and more objects from number 4 on."""
    bodies = [
        f"<< /Type /Catalog /Pages 2 0 R {root} >>",
        f"<< /Type /Pages /Kids {kids} /Count {count} >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
        *objects,
    ]
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R >>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def picture(
    format: str, mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: object
) -> bytes:
    """A picture with something on it."""
    made = Image.new(mode, size)
    ImageDraw.Draw(made).line((0, 0, size[0] // 2, size[1] - 1), fill=1 if mode in "1P" else None)
    out = io.BytesIO()
    made.save(out, format, **options)
    return out.getvalue()


def animated(format: str) -> bytes:
    """Two frames."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, format, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def drawing(ink: str = "black", size: tuple[int, int] = (400, 120)) -> bytes:
    """A signature on nothing, as a page's canvas gives it."""
    made = Image.new("RGBA", size, (0, 0, 0, 0))
    if ink:
        ImageDraw.Draw(made).line((10, 10, size[0] - 10, size[1] - 10), fill=ink, width=3)
    out = io.BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


def archive() -> bytes:
    """A zip with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("evil.exe", b"MZ")
    return out.getvalue()


def damaged_after(data: bytes, part: float) -> bytes:
    """The beginning of it."""
    return data[: int(len(data) * part)]


def dictionary(**entries: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in entries.items()})
