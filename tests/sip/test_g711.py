"""G.711 against the values of ITU-T G.711 and the bounds that its quantizers keep."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.g711 import DECODED, SILENCE, SQUARED, Law, decode, encode

# ITU-T G.711 tables 5 and 6: a 1 kHz sine at 0 dBm0 as a sequence of eight codes.
MILLIWATT = {
    Law.PCMU: bytes.fromhex("1e0b0b1e9e8b8b9e"),
    Law.PCMA: bytes.fromhex("34212134b4a1a1b4"),
}


@pytest.mark.parametrize(
    ("law", "octet", "sample"),
    [
        (Law.PCMU, 0xFF, 0),
        (Law.PCMU, 0x7F, 0),
        (Law.PCMU, 0xFE, 8),
        (Law.PCMU, 0x80, 32124),
        (Law.PCMU, 0x00, -32124),
        (Law.PCMU, 0xEF, 132),
        (Law.PCMA, 0xD5, 8),
        (Law.PCMA, 0x55, -8),
        (Law.PCMA, 0xAA, 32256),
        (Law.PCMA, 0x2A, -32256),
        (Law.PCMA, 0xC5, 264),
        (Law.PCMA, 0xF5, 528),
    ],
)
def test_known_codes_have_their_values(law: Law, octet: int, sample: int) -> None:
    assert decode(law, bytes((octet,))) == [sample]


@pytest.mark.parametrize("law", Law)
def test_the_digital_milliwatt_is_a_sine_of_0_dbm0(law: Law) -> None:
    samples = decode(law, MILLIWATT[law])
    mean_square = sum(sample * sample for sample in samples) / 8
    assert 10 * math.log10(mean_square / 32768**2) == pytest.approx(-3.17 - 3.01, abs=0.1)
    assert encode(law, samples) == MILLIWATT[law]


@pytest.mark.parametrize("law", Law)
def test_every_code_survives_decoding_and_encoding(law: Law) -> None:
    codes = bytes(range(256))
    # The two zeros of mu-law are one sample.
    expected = codes.replace(b"\x7f", b"\xff") if law is Law.PCMU else codes
    assert encode(law, decode(law, codes)) == expected


@pytest.mark.parametrize("law", Law)
def test_encoding_never_falls_while_samples_rise(law: Law) -> None:
    samples = list(range(-0x8000, 0x8000, 3))
    decoded = decode(law, encode(law, samples))
    assert decoded == sorted(decoded)


@pytest.mark.parametrize("law", Law)
@given(sample=st.integers(-0x8000, 0x7FFF))
def test_the_error_is_at_most_half_a_step(law: Law, sample: int) -> None:
    """Segments have 16 steps and double, so half a step is a 32nd of the biased value."""
    (decoded,) = decode(law, encode(law, [sample]))
    assert abs(decoded - sample) <= (abs(sample) + 132) / 32 + 4 + 8 * (law is Law.PCMA)


@pytest.mark.parametrize("law", Law)
@given(sample=st.integers(-0x8000, 0x7FFF))
def test_the_chosen_code_is_the_nearest_or_its_neighbour(law: Law, sample: int) -> None:
    """Decision values lie between the codes, at a segment's edge not in the middle."""
    values = sorted(set(DECODED[law]))
    (chosen,) = decode(law, encode(law, [sample]))
    nearest = min(values, key=lambda value: abs(value - sample))
    assert abs(values.index(chosen) - values.index(nearest)) <= 1


@pytest.mark.parametrize("law", Law)
@given(samples=st.lists(st.integers(-(10**9), 10**9), max_size=5))
def test_any_number_is_clipped(law: Law, samples: list[int]) -> None:
    clipped = [max(-0x8000, min(0x7FFF, sample)) for sample in samples]
    assert encode(law, samples) == encode(law, clipped)


@pytest.mark.parametrize("law", Law)
def test_silence_is_the_smallest_sample(law: Law) -> None:
    assert encode(law, [0]) == bytes((SILENCE[law],))
    assert SQUARED[law][SILENCE[law]] == min(SQUARED[law])


@pytest.mark.parametrize("law", Law)
def test_squares_are_of_the_decoded_samples(law: Law) -> None:
    assert [math.isqrt(square) for square in SQUARED[law]] == [abs(s) for s in DECODED[law]]
