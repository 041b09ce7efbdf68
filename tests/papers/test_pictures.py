"""Pictures: made anew of their pixels alone, upright, still and of a bounded size."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from papers.checking import MAX_DRAWING_BYTES, check_drawing, check_upload
from papers.errors import InvalidFile
from papers.file_types import FileType
from papers.pictures import MAX_DRAWING_SIDE
from tests.papers.files import animated, damaged_after, drawing, picture

MODES = [
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("GIF", mode) for mode in ("L", "P", "RGB")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
]


def opened(data: bytes) -> Image.Image:
    read = Image.open(io.BytesIO(data))
    read.load()
    return read


@pytest.mark.parametrize(("format", "mode"), MODES)
def test_every_usual_picture_stays_what_it_shows(format: str, mode: str) -> None:
    data = picture(format, mode)
    taken = check_upload(data, "")
    assert taken.media_type == Image.MIME[format]
    before, after = opened(data), opened(taken.data)
    assert after.format == format
    assert after.size == before.size
    pairs = zip(before.convert("L").tobytes(), after.convert("L").tobytes(), strict=True)
    assert max(abs(one - other) for one, other in pairs) < 64


def test_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the photo was taken"
    text = PngInfo()
    text.add_text("Comment", "where the photo was taken")
    for data in (
        picture("JPEG", exif=exif, comment=b"where the photo was taken", icc_profile=b"taken" * 50),
        picture("PNG", exif=exif, pnginfo=text, icc_profile=b"taken" * 50),
        picture("GIF", "P", comment=b"where the photo was taken"),
        picture("WEBP", exif=exif, xmp=b"where the photo was taken"),
    ):
        taken = check_upload(data, "").data
        assert b"taken" not in taken
        assert not opened(taken).getexif()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_lies_on_its_side_is_turned(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = picture(format, size=(64, 32), exif=exif)
    assert opened(check_upload(data, "").data).size == (32, 64)


def test_transparency_is_kept() -> None:
    data = picture("PNG", "P", transparency=0)
    alpha = opened(check_upload(data, "").data).convert("RGBA").getchannel("A")
    assert alpha.getpixel((59, 0)) == 0


def test_a_coarse_jpeg_does_not_grow() -> None:
    noise = Image.effect_noise((400, 300), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=20)
    assert len(check_upload(out.getvalue(), "").data) < 1.1 * len(out.getvalue())


def test_a_jpeg_with_a_preview_beside_it_is_one_picture() -> None:
    large, small = (Image.new("RGB", (side, side), "red") for side in (64, 16))
    out = io.BytesIO()
    large.save(out, "MPO", save_all=True, append_images=[small])
    taken = check_upload(out.getvalue(), "photo.jpg")
    assert taken.media_type is FileType.JPEG
    assert opened(taken.data).size == (64, 64)
    assert opened(taken.data).format == "JPEG"


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_a_picture_that_moves_is_refused(format: str) -> None:
    with pytest.raises(InvalidFile, match="moves"):
        check_upload(animated(format), "")


@pytest.mark.parametrize(("width", "height"), [(8000, 5001), (20_000, 20_000), (60_000, 60_000)])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(
    width: int, height: int
) -> None:
    data = bytearray(picture("GIF", "P"))
    data[6:10] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    with pytest.raises(InvalidFile, match="more than 40 million pixels"):
        check_upload(bytes(data), "")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_a_picture_that_is_cut_off_is_refused(format: str, part: float) -> None:
    noise = Image.effect_noise((80, 60), 90).convert("P" if format == "GIF" else "RGB")
    out = io.BytesIO()
    noise.save(out, format)
    with pytest.raises(InvalidFile, match="damaged or incomplete") as refused:
        check_upload(damaged_after(out.getvalue(), part), "")
    assert refused.value.detail


def test_a_file_that_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image, "open", full)
    with pytest.raises(InvalidFile, match="too much time or memory"):
        check_upload(picture("PNG"), "")


@pytest.mark.parametrize("ink", ["black", "#1a3d8f", "#888888"])
def test_a_drawing_becomes_dark_on_white(ink: str) -> None:
    taken = check_drawing(drawing(ink))
    assert taken.media_type is FileType.PNG
    made = opened(taken.data)
    assert (made.mode, made.size) == ("L", (400, 120))
    assert made.getpixel((399, 0)) == 255
    assert made.getpixel((200, 60)) != 255


def test_a_drawing_needs_a_line() -> None:
    for nothing in (drawing(""), drawing("white")):
        with pytest.raises(InvalidFile, match="nothing is drawn"):
            check_drawing(nothing)


def test_a_drawing_is_a_small_png() -> None:
    with pytest.raises(InvalidFile, match="a PNG of at most 200 kB"):
        check_drawing(picture("JPEG"))
    with pytest.raises(InvalidFile, match="a PNG of at most 200 kB"):
        check_drawing(drawing() + bytes(MAX_DRAWING_BYTES))
    with pytest.raises(InvalidFile, match="too large"):
        check_drawing(drawing(size=(MAX_DRAWING_SIDE + 1, 2)))
    with pytest.raises(InvalidFile, match="damaged"):
        check_drawing(damaged_after(drawing(), 0.8))
    with pytest.raises(InvalidFile, match="moves"):
        check_drawing(animated("PNG"))
