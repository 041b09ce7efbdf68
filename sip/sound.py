"""What the peer's G.711 sounds like: its level, the test tone come back, DTMF in the audio.

A packet costs its energy and a copy; the search for tones waits until somebody asks and covers the
first seconds that are not silent, so a call's memory and its last moment stay small.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from sip.g711 import DECODED, SAMPLE_RATE, SQUARED, Law
from sip.tone import FRAME_SAMPLES, FULL_SCALE, dtmf_digit, is_test_tone, level_dbov

# An idle analogue line hums near -70 dBov, speech is near -26: between them, nearer to the hum.
SILENCE_DBOV = -55.0
_SILENCE_MEAN_SQUARE = FULL_SCALE**2 * 10 ** (SILENCE_DBOV / 10)

# Twice the tone that is sent, so that an echo is told from a line that plays the tone itself.
MAX_SEARCHED_SAMPLES = 2 * SAMPLE_RATE

# Shortest DTMF that a receiver must accept is 40 ms (ITU-T Q.24); a block covers 20.
_MIN_DIGIT_BLOCKS = 2

MAX_INBAND_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard: durations in milliseconds, the level in dBov (of what was not silence, if any).

    `tone_ms` is the length of the test tone among the first two seconds of sound.
    """

    heard_ms: float
    loud_ms: float
    level_dbov: float | None
    tone_ms: float
    inband_digits: str


class Listener:
    """Collects the audio payloads of one call."""

    def __init__(self) -> None:
        self._samples = 0
        self._energy = 0
        self._loud_samples = 0
        self._loud_energy = 0
        self._pending = array("h")
        self._searched = 0
        self._tone_samples = 0
        self._digits = ""
        self._digit: str | None = None
        self._digit_blocks = 0

    def receive(self, law: Law, payload: bytes) -> None:
        """Hears one packet's payload."""
        count = len(payload)
        if not count:
            return
        if payload.count(payload[:1]) == count:
            # Digital silence is one code throughout, and most of a test call.
            energy = count * SQUARED[law][payload[0]]
        else:
            energy = sum(map(SQUARED[law].__getitem__, payload))
        self._samples += count
        self._energy += energy
        if energy < _SILENCE_MEAN_SQUARE * count:
            return
        self._loud_samples += count
        self._loud_energy += energy
        if self._searched + len(self._pending) < MAX_SEARCHED_SAMPLES:
            self._pending.extend(map(DECODED[law].__getitem__, payload))

    def sound(self) -> Sound:
        """What was heard so far; a later call searches only what came since."""
        self._search()
        level = None
        if self._loud_samples:
            level = level_dbov(self._loud_energy / self._loud_samples)
        elif self._samples:
            level = level_dbov(self._energy / self._samples)
        return Sound(
            heard_ms=_milliseconds(self._samples),
            loud_ms=_milliseconds(self._loud_samples),
            level_dbov=level,
            tone_ms=_milliseconds(self._tone_samples),
            inband_digits=self._digits,
        )

    def _search(self) -> None:
        whole = len(self._pending) - len(self._pending) % FRAME_SAMPLES
        for start in range(0, whole, FRAME_SAMPLES):
            block = self._pending[start : start + FRAME_SAMPLES]
            energy = sum(sample * sample for sample in block)
            if energy == 0:
                self._note_digit(None)
            elif is_test_tone(block, energy):
                self._tone_samples += FRAME_SAMPLES
                self._note_digit(None)
            else:
                self._note_digit(dtmf_digit(block, energy))
        self._searched += whole
        del self._pending[:whole]

    def _note_digit(self, digit: str | None) -> None:
        self._digit_blocks = self._digit_blocks + 1 if digit == self._digit else 1
        self._digit = digit
        if (
            digit is not None
            and self._digit_blocks == _MIN_DIGIT_BLOCKS
            and len(self._digits) < MAX_INBAND_DIGITS
        ):
            self._digits += digit


def _milliseconds(samples: int) -> float:
    return samples * 1000 / SAMPLE_RATE
