"""The test tone, and what is heard: level, tone, DTMF in the audio."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.g711 import Law, decode, encode
from sip.sound import MAX_INBAND_DIGITS, MAX_SEARCHED_SAMPLES, SILENCE_DBOV, Listener, Sound
from sip.tone import (
    DTMF_COLUMNS,
    DTMF_ROWS,
    FLOOR_DBOV,
    FRAME_SAMPLES,
    TEST_FREQUENCY,
    amplitude_of,
    dtmf_digit,
    frames_of_tone,
    goertzel_share,
    is_test_tone,
    level_dbov,
    silence_frame,
    sine,
)

KEYS = ["123A", "456B", "789C", "*0#D"]


def energy_of(samples: list[int]) -> float:
    return sum(sample * sample for sample in samples)


def mixed(*parts: list[int]) -> list[int]:
    return [sum(values) for values in zip(*parts, strict=True)]


def key(digit: str, level: float, count: int, twist: float = 0.0) -> list[int]:
    row = next(index for index, keys in enumerate(KEYS) if digit in keys)
    return mixed(
        sine(DTMF_ROWS[row], amplitude_of(level), count),
        sine(DTMF_COLUMNS[KEYS[row].index(digit)], amplitude_of(level + twist), count),
    )


def noise(deviation: float, count: int, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    return [round(chance.gauss(0, deviation)) for _ in range(count)]


def heard(law: Law, samples: list[int], frame: int = FRAME_SAMPLES) -> Sound:
    listener = Listener()
    for start in range(0, len(samples), frame):
        listener.receive(law, encode(law, samples[start : start + frame]))
    return listener.sound()


@pytest.mark.parametrize("law", Law)
def test_the_tone_is_a_second_of_1004_hz_at_minus_16_dbm0(law: Law) -> None:
    frames = frames_of_tone(law, 50)
    assert {len(frame) for frame in frames} == {FRAME_SAMPLES}
    samples = decode(law, b"".join(frames))
    energy = energy_of(samples)
    assert len(samples) == 8000
    assert level_dbov(energy / 8000) == pytest.approx(-16 - 3.17 - 3.01, abs=0.1)
    # One block over the whole second proves an unbroken phase.
    assert goertzel_share(samples, TEST_FREQUENCY, energy) > 0.99


@pytest.mark.parametrize("law", Law)
def test_a_silent_frame_is_silent(law: Law) -> None:
    samples = decode(law, silence_frame(law))
    assert len(samples) == FRAME_SAMPLES
    assert level_dbov(energy_of(samples) / FRAME_SAMPLES) < SILENCE_DBOV


def test_levels_have_a_floor_and_a_ceiling() -> None:
    assert level_dbov(0) == FLOOR_DBOV
    assert level_dbov(1e-9) == FLOOR_DBOV
    assert level_dbov(32768**2) == 0
    assert level_dbov(32768**2 / 2) == pytest.approx(-3.01, abs=0.01)


@given(st.floats(300, 3400), st.floats(100, 16000), st.floats(0, 2 * math.pi))
def test_goertzel_finds_a_sine_whatever_its_phase(hertz: float, peak: float, phase: float) -> None:
    step = 2 * math.pi * hertz / 8000
    samples = [round(peak * math.sin(step * n + phase)) for n in range(FRAME_SAMPLES)]
    assert 0.9 < goertzel_share(samples, hertz, energy_of(samples)) < 1.1


@pytest.mark.parametrize("hertz", [350, 425, 440, 480, 697, 852, 941, 1209, 1336, 2100])
def test_other_tones_of_telephony_are_not_the_test_tone(hertz: float) -> None:
    samples = sine(hertz, 8000, FRAME_SAMPLES)
    assert not is_test_tone(samples, energy_of(samples))


def test_noise_is_neither_tone_nor_digit() -> None:
    for seed in range(200):
        samples = noise(1000, FRAME_SAMPLES, seed)
        assert not is_test_tone(samples, energy_of(samples))
        assert dtmf_digit(samples, energy_of(samples)) is None


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
@pytest.mark.parametrize("twist", [-4.0, 0.0, 4.0])
def test_a_key_is_recognized_with_twist(digit: str, twist: float) -> None:
    samples = decode(Law.PCMU, encode(Law.PCMU, key(digit, -12, FRAME_SAMPLES, twist)))
    assert dtmf_digit(samples, energy_of(samples)) == digit


def test_one_tone_of_a_pair_is_no_key() -> None:
    for hertz in (*DTMF_ROWS, *DTMF_COLUMNS):
        samples = sine(hertz, 8000, FRAME_SAMPLES)
        assert dtmf_digit(samples, energy_of(samples)) is None


def test_a_pair_beneath_louder_sound_is_no_key() -> None:
    samples = mixed(key("5", -12, FRAME_SAMPLES), sine(2600, amplitude_of(-10), FRAME_SAMPLES))
    assert dtmf_digit(samples, energy_of(samples)) is None


def test_nothing_heard_has_no_level() -> None:
    assert Listener().sound() == Sound(0, 0, None, 0, "")


@pytest.mark.parametrize("law", Law)
def test_silence_is_heard_as_silence(law: Law) -> None:
    sound = heard(law, [0] * 8000)
    assert (sound.heard_ms, sound.loud_ms, sound.tone_ms) == (1000, 0, 0)
    assert sound.level_dbov is not None
    assert sound.level_dbov < SILENCE_DBOV


def test_a_quiet_hum_is_silence_and_quiet_speech_is_not() -> None:
    assert heard(Law.PCMU, noise(20, 8000)).loud_ms == 0
    assert heard(Law.PCMU, noise(200, 8000)).loud_ms == 1000


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("loss_db", [0, 20])
def test_our_tone_come_back_is_measured(law: Law, loss_db: float) -> None:
    samples = sine(TEST_FREQUENCY, amplitude_of(-16 - loss_db), 8000) + [0] * 8000
    sound = heard(law, samples)
    assert sound.tone_ms == pytest.approx(1000, abs=40)
    assert sound.loud_ms == 1000
    assert sound.level_dbov == pytest.approx(-22.2 - loss_db, abs=0.3)


def test_packets_of_any_length_are_searched_in_blocks() -> None:
    for frame in (80, 240, 33):
        assert heard(Law.PCMA, sine(TEST_FREQUENCY, 3000, 4000), frame).tone_ms >= 480


def test_a_digit_is_heard_once_and_a_repeated_one_twice() -> None:
    pause = noise(300, 800)
    samples = key("7", -10, 800) + pause + key("7", -10, 800) + pause + key("#", -10, 800)
    assert heard(Law.PCMU, samples).inband_digits == "77#"


def test_the_tone_between_two_keys_parts_them() -> None:
    tone = sine(TEST_FREQUENCY, 3000, 800)
    assert heard(Law.PCMU, key("7", -10, 800) + tone + key("7", -10, 800)).inband_digits == "77"


def test_a_blip_is_no_digit() -> None:
    samples = noise(300, 800) + key("7", -10, FRAME_SAMPLES) + noise(300, 800)
    assert heard(Law.PCMU, samples).inband_digits == ""


def test_a_pair_of_samples_too_quiet_in_a_loud_packet_parts_digits() -> None:
    listener = Listener()
    long = key("7", -3, 320) + [0] * 480 + key("7", -3, 320)
    listener.receive(Law.PCMU, encode(Law.PCMU, long))
    assert listener.sound().inband_digits == "77"


def test_only_the_first_seconds_of_sound_are_searched() -> None:
    listener = Listener()
    frame = encode(Law.PCMU, sine(TEST_FREQUENCY, 3000, FRAME_SAMPLES))
    for _ in range(500):
        listener.receive(Law.PCMU, frame)
    sound = listener.sound()
    assert sound.loud_ms == 10_000
    assert sound.tone_ms == MAX_SEARCHED_SAMPLES / 8
    listener.receive(Law.PCMU, frame)
    assert listener.sound().tone_ms == sound.tone_ms


def test_asking_early_changes_nothing_later() -> None:
    samples = key("4", -10, 800) + sine(TEST_FREQUENCY, 3000, 1605)
    listener = Listener()
    for start in range(0, len(samples), 33):
        listener.receive(Law.PCMA, encode(Law.PCMA, samples[start : start + 33]))
        listener.sound()
    assert listener.sound() == heard(Law.PCMA, samples, 33)


def test_inband_digits_are_limited() -> None:
    samples = []
    for index in range(MAX_INBAND_DIGITS + 10):
        samples += key("12"[index % 2], -10, 2 * FRAME_SAMPLES)
    assert len(heard(Law.PCMU, samples).inband_digits) == MAX_INBAND_DIGITS


@given(st.lists(st.binary(max_size=400), max_size=8), st.sampled_from(Law))
def test_any_octets_can_be_listened_to(payloads: list[bytes], law: Law) -> None:
    listener = Listener()
    for payload in payloads:
        listener.receive(law, payload)
    sound = listener.sound()
    assert sound.heard_ms == sum(map(len, payloads)) / 8
    assert sound.tone_ms <= sound.loud_ms <= sound.heard_ms
