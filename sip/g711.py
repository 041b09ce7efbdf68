"""G.711 mu-law and A-law (ITU-T G.711), samples as 16-bit linear PCM.

mu-law has 14 significant bits, A-law 13; both are kept left-justified in 16, so that a level means
the same in either. The tables are computed once from the companding formulae.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

SAMPLE_RATE = 8000

_BIAS = 33


class Law(StrEnum):
    """The two laws by their encoding names of RFC 3551 section 4.5.14."""

    PCMU = "PCMU"
    PCMA = "PCMA"


def _expand_mu(octet: int) -> int:
    inverted = octet ^ 0xFF
    segment, step = inverted >> 4 & 7, inverted & 15
    magnitude = (((2 * step + _BIAS) << segment) - _BIAS) << 2
    return -magnitude if inverted & 0x80 else magnitude


def _expand_a(octet: int) -> int:
    code = octet ^ 0x55
    segment, step = code >> 4 & 7, code & 15
    magnitude = 2 * step + 1 if segment == 0 else (2 * step + _BIAS) << (segment - 1)
    return magnitude << 3 if code & 0x80 else -(magnitude << 3)


def _compress_mu(value: int) -> int:
    """The code of a 14-bit value; a negative one is its one's complement, so -1 is negative zero."""
    magnitude = min((~value if value < 0 else value) + _BIAS, 0x1FFF)
    segment = magnitude.bit_length() - 6
    code = segment << 4 | magnitude >> (segment + 1) & 15
    return (code | (0x80 if value < 0 else 0)) ^ 0xFF


def _compress_a(value: int) -> int:
    """The code of a 12-bit value: the 13th bit of A-law never decides between two codes."""
    magnitude = ~value if value < 0 else value
    segment = max(0, magnitude.bit_length() - 4)
    code = segment << 4 | magnitude >> max(0, segment - 1) & 15
    return (code | (0 if value < 0 else 0x80)) ^ 0x55


DECODED: dict[Law, tuple[int, ...]] = {
    Law.PCMU: tuple(map(_expand_mu, range(256))),
    Law.PCMA: tuple(map(_expand_a, range(256))),
}
SQUARED: dict[Law, tuple[int, ...]] = {
    law: tuple(sample * sample for sample in samples) for law, samples in DECODED.items()
}

# The code of the smallest positive sample: what a silent line sends.
SILENCE: dict[Law, int] = {Law.PCMU: 0xFF, Law.PCMA: 0xD5}

# Indexed by the value's significant bits as an unsigned number.
_SHIFT = {Law.PCMU: 2, Law.PCMA: 4}
_ENCODED = {
    Law.PCMU: bytes(_compress_mu(v - 0x4000 if v & 0x2000 else v) for v in range(0x4000)),
    Law.PCMA: bytes(_compress_a(v - 0x1000 if v & 0x800 else v) for v in range(0x1000)),
}


def encode(law: Law, samples: Iterable[int]) -> bytes:
    """One octet for each sample; what exceeds 16 bits is clipped."""
    shift, table = _SHIFT[law], _ENCODED[law]
    mask = len(table) - 1
    return bytes(table[max(-0x8000, min(0x7FFF, sample)) >> shift & mask] for sample in samples)


def decode(law: Law, payload: bytes) -> list[int]:
    """One 16-bit sample for each octet."""
    return list(map(DECODED[law].__getitem__, payload))
