"""What papers raise.

PaperError
├── InvalidFile         an upload is not a document that we take; ``code`` is the contract's
├── TooLarge            an upload is longer than what is taken
├── CheckUnavailable    the process that checks uploads could not be started
├── UnprintableText     a letter has characters that its font cannot show
└── SealFailed          a letter cannot be sealed, or a sealing key cannot be read
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "INVALID_FILE_TYPE",
    "CheckUnavailable",
    "InvalidFile",
    "PaperError",
    "SealFailed",
    "TooLarge",
    "UnprintableText",
]

INVALID_FILE_TYPE: Final = "INVALID_FILE_TYPE"
"""The error code of API contract 6.2 for a file whose type or content is not taken."""


class PaperError(Exception):
    """Root of the errors of this package; never raised itself."""


class InvalidFile(PaperError):
    """A file that is not taken. Its text tells the person who sent it what is wrong and what to do;
    ``detail`` is for logs and holds nothing of the file."""

    code: Final = INVALID_FILE_TYPE

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class TooLarge(PaperError):
    """An upload of more than ``limit`` bytes; how many more is not known, since it was not read on."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the file is larger than {limit // 1_000_000} MB: scan it at a lower resolution, or split it"
        )
        self.limit = limit


class CheckUnavailable(PaperError):
    """No file can be checked at the moment; that says nothing of the file."""


class UnprintableText(PaperError):
    """Text with characters that the font of the letter does not have."""

    def __init__(self, where: str, characters: str) -> None:
        named = " ".join(f"{each} (U+{ord(each):04X})" for each in characters[:5])
        super().__init__(
            f"{where} cannot be printed on the letter because of {named}: write it in Latin, Greek or "
            "Cyrillic letters, as on the bill of the carrier that the numbers leave"
        )
        self.where = where
        self.characters = characters


class SealFailed(PaperError):
    """The letter stays unsealed; its text says why and holds nothing of the key."""
