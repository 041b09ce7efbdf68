"""The test tone and how to find tones in sound.

Levels: a full-scale sine is 3.17 dBm0 in mu-law and 3.14 dBm0 in A-law (ITU-T G.711), and -3.01
dBov, since 0 dBov is the power of a full-scale square wave (RFC 3551 section 4.5, RFC 6464).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from sip.g711 import SAMPLE_RATE, SILENCE, Law, encode

FRAMES_PER_SECOND = 50
FRAME_SECONDS = 1 / FRAMES_PER_SECOND
FRAME_SAMPLES = 160

# The transmission test frequency of telephony: not a divisor of 8000, so no codec error repeats.
TEST_FREQUENCY = 1004.0
TEST_LEVEL_DBM0 = -16.0

FULL_SCALE = 32768.0
FULL_SCALE_SINE_DBM0 = 3.17

# Digital silence has no logarithm; RFC 6465 section 4 ends its scale here too.
FLOOR_DBOV = -127.0

# Rows and columns of the push-button keypad (ITU-T Q.23).
DTMF_ROWS = (697.0, 770.0, 852.0, 941.0)
DTMF_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYPAD = ("123A", "456B", "789C", "*0#D")

# A sine holds all its energy, each half of a DTMF pair about half of it; the rest is companding
# noise and what the block's edges leak.
_TONE_SHARE = 0.8
_PAIR_SHARE = 0.8
_PAIR_MINIMUM = 0.2


def sine(frequency: float, amplitude: float, count: int, *, first: int = 0) -> list[int]:
    """`count` samples of a sine, beginning with its sample number `first`."""
    step = 2 * math.pi * frequency / SAMPLE_RATE
    return [round(amplitude * math.sin(step * n)) for n in range(first, first + count)]


def amplitude_of(level_dbm0: float) -> float:
    """Peak of a sine of that level in 16-bit samples."""
    return FULL_SCALE * 10 ** ((level_dbm0 - FULL_SCALE_SINE_DBM0) / 20)


@cache
def frames_of_tone(law: Law, frames: int, frequency: float = TEST_FREQUENCY) -> tuple[bytes, ...]:
    """The test tone, or one of another frequency, as encoded 20 ms frames with a continuous phase."""
    amplitude = amplitude_of(TEST_LEVEL_DBM0)
    encoded = encode(law, sine(frequency, amplitude, frames * FRAME_SAMPLES))
    return tuple(
        encoded[start : start + FRAME_SAMPLES] for start in range(0, len(encoded), FRAME_SAMPLES)
    )


@cache
def silence_frame(law: Law) -> bytes:
    """20 ms of silence."""
    return bytes((SILENCE[law],)) * FRAME_SAMPLES


def level_dbov(mean_square: float) -> float:
    """Level of sound from the mean of its squared samples, not below FLOOR_DBOV."""
    if mean_square <= 0:
        return FLOOR_DBOV
    return max(FLOOR_DBOV, 10 * math.log10(mean_square / FULL_SCALE**2))


def goertzel_share(samples: Sequence[int], frequency: float, energy: float) -> float:
    """How much of `energy` (the sum of squared samples, not 0) is at `frequency`: about 0 to 1."""
    coefficient = 2 * math.cos(2 * math.pi * frequency / SAMPLE_RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + coefficient * last - before, last
    power = last * last + before * before - coefficient * last * before
    return 2 * power / (len(samples) * energy)


def is_test_tone(samples: Sequence[int], energy: float) -> bool:
    """Whether a block of some 20 ms is nothing but the test tone, at whatever level."""
    return goertzel_share(samples, TEST_FREQUENCY, energy) >= _TONE_SHARE


def dtmf_digit(samples: Sequence[int], energy: float) -> str | None:
    """The digit whose pair of tones makes up a block of some 20 ms."""
    rows = [goertzel_share(samples, frequency, energy) for frequency in DTMF_ROWS]
    if max(rows) < _PAIR_MINIMUM:
        return None
    columns = [goertzel_share(samples, frequency, energy) for frequency in DTMF_COLUMNS]
    if max(columns) < _PAIR_MINIMUM or max(rows) + max(columns) < _PAIR_SHARE:
        return None
    return _KEYPAD[rows.index(max(rows))][columns.index(max(columns))]
