"""The share of `tests.fuzz_sip` that every test run can afford, and the proof that it can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.errors import RemoteProtocolError
from sip.message import parse_message
from tests import fuzz_sip

SEED = 4475


def test_mutated_messages_raise_nothing_but_protocol_errors() -> None:
    assert fuzz_sip.first_finding(10_000, SEED) is None


def test_mutations_are_a_mix_of_accepted_and_refused_messages() -> None:
    accepted = 0
    for data in fuzz_sip.mutations(500, SEED):
        try:
            parse_message(data)
        except RemoteProtocolError:
            continue
        accepted += 1
    assert 50 < accepted < 450


def test_the_same_seed_gives_the_same_mutations() -> None:
    assert list(fuzz_sip.mutations(50, 7)) == list(fuzz_sip.mutations(50, 7))


def test_an_escaping_error_is_a_finding_with_a_reproducer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(data: bytes) -> None:
        raise ValueError("escaped")

    monkeypatch.setattr(fuzz_sip, "parse_message", broken)
    monkeypatch.setattr(fuzz_sip, "REPRODUCER", tmp_path / "input.bin")
    monkeypatch.setattr("sys.argv", ["fuzz_sip", "--count", "5", "--seed", "3"])
    assert fuzz_sip.main() == 1
    assert "mutation 1: ValueError('escaped')" in capsys.readouterr().out
    assert fuzz_sip.REPRODUCER.read_bytes() == next(fuzz_sip.mutations(1, 3))


def test_a_clean_run_says_how_many_and_how_fast(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz_sip", "--count", "5", "--seed", "3"])
    assert fuzz_sip.main() == 0
    assert "5 mutated messages, seed 3: only protocol errors" in capsys.readouterr().out
