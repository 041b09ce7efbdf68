"""Bytes as letters and digits: nothing that a PBX, a shell or a SIP URI would have to escape."""

from __future__ import annotations

import string
from typing import Final

__all__ = ["ALPHABET", "base62"]

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase


def base62(data: bytes) -> str:
    """``data`` as one big-endian number in base 62, most significant digit first.

    Padded with ``0`` to the length that the largest number of as many bytes needs.
    """
    width = _width(len(data))
    number = int.from_bytes(data, "big")
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _width(size: int) -> int:
    largest, width = 256**size - 1, 0
    while largest:
        largest //= len(ALPHABET)
        width += 1
    return width
