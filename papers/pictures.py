"""Pictures of documents: verified, decoded, turned upright, and encoded anew without anything else.

What is stored is made of the pixels alone, so nothing of a file's metadata (where a photo was taken)
and nothing that hides in it comes along. Pillow is asked for the one format that the file begins as.
"""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from papers.errors import InvalidFile
from papers.file_types import FileType

__all__ = ["MAX_DRAWING_SIDE", "MAX_PIXELS", "encode_anew", "encode_drawing"]

MAX_PIXELS: Final = 40_000_000
"""An A4 page at 600 dpi is 35 million; 40 million decoded are 160 MB."""

MAX_DRAWING_SIDE: Final = 4000
"""Pixels of a drawn signature each way: that of a wide screen with a high density."""

MAX_DRAWING_PIXELS: Final = 4_000_000

QUALITY: Final = 88
"""Small print stays legible."""

_FORMATS: Final = {
    FileType.JPEG: "JPEG",
    FileType.PNG: "PNG",
    FileType.GIF: "GIF",
    FileType.WEBP: "WEBP",
}
_UPRIGHT: Final = frozenset({0, 1, None})
_ORIENTATION: Final = 0x0112
_JPEG_MODES: Final = frozenset({"L", "RGB"})


def encode_anew(data: bytes, kind: FileType) -> bytes:
    """The same picture in the same format. Raises ``InvalidFile`` when it moves, is cut, is damaged or
    has more than ``MAX_PIXELS``, and what Pillow raises for what it cannot read."""
    with warnings.catch_warnings():
        # About sizes and metadata that are checked or thrown away here.
        warnings.simplefilter("ignore")
        picture = _decoded(data, kind)
        options = _options(picture, kind)
        picture = _upright(picture)
    if kind is FileType.JPEG and picture.mode not in _JPEG_MODES:
        picture = picture.convert("RGB")
    return _encoded(picture, kind, **options)


def encode_drawing(data: bytes) -> bytes:
    """A drawn signature, dark on white, as a PNG without transparency.

    Raises ``InvalidFile`` as ``encode_anew`` does, and when nothing is drawn.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = _decoded(data, FileType.PNG)
    if max(drawn.size) > MAX_DRAWING_SIDE or drawn.width * drawn.height > MAX_DRAWING_PIXELS:
        raise InvalidFile("the drawn signature is too large: draw it in the field of the page")
    drawn = drawn.convert("RGBA")
    paper = Image.new("RGBA", drawn.size, "white")
    paper.alpha_composite(drawn)
    flat = paper.convert("L")
    lowest, highest = flat.getextrema()
    if lowest == highest:
        raise InvalidFile("nothing is drawn: draw your signature in the field, or type your name")
    return _encoded(flat, FileType.PNG)


def _decoded(data: bytes, kind: FileType) -> Image.Image:
    formats = (_FORMATS[kind],)
    too_many = InvalidFile(
        f"the picture has more than {MAX_PIXELS // 1_000_000} million pixels: "
        "scan it at a lower resolution"
    )
    try:
        opened = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError:
        raise too_many from None
    with opened as looked_at:
        if looked_at.width * looked_at.height > MAX_PIXELS:
            raise too_many
        # A JPEG with a preview beside it, as some phones make, is one picture all the same.
        if kind is not FileType.JPEG and getattr(looked_at, "is_animated", False):
            raise InvalidFile("the picture moves: save one still picture of the document")
        looked_at.verify()
    # Verifying leaves a file that cannot be decoded any more.
    picture = Image.open(io.BytesIO(data), formats=formats)
    picture.load()
    return picture


def _options(picture: Image.Image, kind: FileType) -> dict[str, object]:
    """How to encode it. A JPEG keeps its own tables: with finer ones it would grow and show no more."""
    if kind is FileType.WEBP:
        return {"quality": QUALITY, "method": 2}
    if not isinstance(picture, JpegImageFile) or picture.mode not in _JPEG_MODES:
        return {"quality": QUALITY} if kind is FileType.JPEG else {}
    sampling = get_sampling(picture)
    return {"qtables": picture.quantization} | ({"subsampling": sampling} if sampling >= 0 else {})


def _upright(picture: Image.Image) -> Image.Image:
    """As it is meant to be looked at, since the note that says so is not kept."""
    if picture.getexif().get(_ORIENTATION) in _UPRIGHT:
        return picture
    return ImageOps.exif_transpose(picture)


def _encoded(picture: Image.Image, kind: FileType, **options: object) -> bytes:
    see_through = picture.info.get("transparency")
    picture.info = {} if see_through is None else {"transparency": see_through}
    picture.encoderinfo = {}
    written = io.BytesIO()
    picture.save(written, _FORMATS[kind], **options)
    return written.getvalue()
