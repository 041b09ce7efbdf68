"""Sheets of paper that text flows over: what the letter and the pages behind it have in common.

The same calls make the same bytes: the only time in a file is the one that is given, and fpdf2 makes the
file's id of its content.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Final

from fpdf import FPDF
from fpdf.enums import Align, WrapMode, XPos, YPos
from fpdf.fonts import TTFFont

from papers.typeface import BOLD, REGULAR

__all__ = ["Sheets"]

MARGIN: Final = 20.0
BOTTOM: Final = 22.0
"""Millimetres; at the bottom the footer has its place."""

_LABELS: Final = 6.6
_SMALL_LABELS: Final = 5.8
"""Millimetres for labels and the space behind them, for each point of their size."""

LEADING: Final = 1.35
"""Height of a line, in heights of its letters."""

_PAGES: Final = "\ufffdn\ufffd"
"""Stands for the number of pages until that is known. No text of a letter can have it: ``printed`` and
``escaped`` let U+FFFD through nowhere."""

_MM_OF_POINT: Final = 25.4 / 72


class Sheets(FPDF):
    """Context manager, because fonts are open files until it is left; ``written`` ends it too.

    US letter sheets with a footer: ``footer_lines``, and ``page`` with its number."""

    def __init__(
        self, title: str, footer_lines: tuple[str, ...], made_at: datetime, *, page: str = "Page"
    ) -> None:
        super().__init__(unit="mm", format="letter")
        self._footer_lines = footer_lines
        self._page = page
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=BOTTOM)
        self.add_font("text", "", REGULAR)
        self.add_font("text", "B", BOLD)
        self.set_title(title)
        self.set_lang("en-US")
        self.set_producer("Trunkline")
        self.set_creation_date(made_at.astimezone(UTC))
        self.alias_nb_pages(_PAGES)
        self.add_page()

    def __enter__(self) -> Sheets:
        return self

    def __exit__(self, *_: object) -> None:
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def written(self) -> bytes:
        """The PDF."""
        return bytes(self.output())

    def footer(self) -> None:
        """On each page; fpdf2 calls it."""
        self.set_y(-BOTTOM + 5)
        self.set_text_color(90)
        for line in self._footer_lines:
            self._line(line, 6.5)
        self._line(f"{self._page} {self.page_no()} of {_PAGES}", 6.5)
        self.set_text_color(0)

    def heading(self, text: str, size: float = 12) -> None:
        """A title; never the last line of a page."""
        self.keep_together(size * _MM_OF_POINT * LEADING * 4)
        self.ln(2)
        self._flow(text, size, bold=True)
        self.ln(1)

    def paragraph(self, text: str, size: float = 10) -> None:
        """Text with space behind it."""
        self._flow(text, size)
        self.ln(2)

    def field(self, label: str, value: str, size: float = 10) -> None:
        """A label and its value beside it, over as many lines as that needs."""
        height = size * _MM_OF_POINT * LEADING
        labels = size * (_LABELS if size >= 10 else _SMALL_LABELS)
        self.keep_together(height * 2)
        self._font(size, bold=True)
        top, page = self.get_y(), self.page_no()
        self.multi_cell(labels - 2, height, label, align=Align.L, new_x=XPos.LEFT, new_y=YPos.NEXT)
        below, below_page = self.get_y(), self.page_no()
        self.page, self.y = page, top
        self.set_x(MARGIN + labels)
        self._font(size)
        self.multi_cell(
            self.epw - labels,
            height,
            value,
            align=Align.L,
            # Hashes and addresses have no spaces.
            wrapmode=WrapMode.CHAR
            if len(max(value.split() or [""], key=len)) > 40
            else WrapMode.WORD,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        if below_page == self.page_no():
            self.set_y(max(below, self.get_y()))

    def columns(self, cells: tuple[str, ...], count: int, size: float = 10) -> None:
        """Short texts side by side, row by row."""
        height = size * _MM_OF_POINT * LEADING
        width = self.epw / count
        self._font(size)
        for start in range(0, len(cells), count):
            self.keep_together(height)
            for each in cells[start : start + count]:
                self.cell(width, height, each)
            self.ln(height)

    def rule(self, label: str) -> None:
        """A line to write on, and what belongs there."""
        self.keep_together(16)
        self.ln(9)
        self.line(MARGIN, self.get_y(), MARGIN + 90, self.get_y())
        self._line(label, 8)

    def picture(self, png: bytes, width: float, height: float) -> None:
        """A picture, as large as fits into so many millimetres each way."""
        self.keep_together(height + 2)
        self.image(io.BytesIO(png), w=width, h=height, keep_aspect_ratio=True)
        self.ln(2)

    def keep_together(self, height: float) -> None:
        """Begin a new page unless this much of this one is left; in millimetres."""
        if self.will_page_break(height):
            self.add_page()

    def _flow(self, text: str, size: float, *, bold: bool = False) -> None:
        self._font(size, bold=bold)
        height = size * _MM_OF_POINT * LEADING
        self.multi_cell(0, height, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _line(self, text: str, size: float) -> None:
        self._font(size)
        self.cell(0, size * _MM_OF_POINT * LEADING, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _font(self, size: float, *, bold: bool = False) -> None:
        self.set_font("text", "B" if bold else "", size)
