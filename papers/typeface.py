"""The letter's font, and which text it can show.

DejaVu Sans shows names in Latin, Greek and Cyrillic letters with all their diacritics (``papers/fonts``).
Other scripts are refused by name rather than printed as boxes: the carrier that gives numbers up compares
the letter with its record character by character, and records in North America are in Latin letters.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

from papers.errors import UnprintableText

__all__ = ["BOLD", "REGULAR", "escaped", "printed", "unprintable"]

_FOLDER: Final = Path(__file__).with_name("fonts")
REGULAR: Final = _FOLDER / "DejaVuSans.ttf"
BOLD: Final = _FOLDER / "DejaVuSans-Bold.ttf"


def unprintable(text: str) -> str:
    """The characters of a text that the letter cannot show, each once, in their order.

    Line breaks and tabs count as spaces, and letters may come with their diacritics apart.
    """
    shown = _shown()
    return "".join(dict.fromkeys(each for each in _composed(text) if ord(each) not in shown))


def printed(where: str, text: str) -> str:
    """The text on one line, as the letter shows it. Raises ``UnprintableText`` naming ``where``."""
    missing = unprintable(text)
    if missing:
        raise UnprintableText(where, missing)
    return _composed(text)


def escaped(text: str) -> str:
    """The text on one line; what the letter cannot show stands as ``\\u{...}``. For evidence, which is
    printed whatever it is."""
    shown = _shown()
    return "".join(
        each if ord(each) in shown else f"\\u{{{ord(each):x}}}" for each in _composed(text)
    )


def _composed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


@functools.cache
def _shown() -> frozenset[int]:
    with TTFont(REGULAR) as regular, TTFont(BOLD) as bold:
        both = frozenset(regular.getBestCmap()) & frozenset(bold.getBestCmap())
    # What stands for a character that was lost tells no name.
    return both - {0xFFFD}
