"""A trunk's word: as its best target, and told apart where a client certificate is demanded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health_history import OutcomeClass
from domain.health_observation import HealthState
from domain.health_rule import STANDARD_RULE, HealthPreset, HealthRule
from domain.trunk_health import (
    BEST_FIRST,
    HealthWord,
    best_of,
    down_outcomes,
    timed_outcomes,
    up_outcomes,
    word_of,
)

REASON = "failed in TLS (the peer asks for a client certificate (certificate required))"


@given(st.lists(st.sampled_from(HealthState), max_size=6))
def test_a_trunk_is_as_good_as_its_best_target(states: list[HealthState]) -> None:
    best = best_of(states)
    assert best in states or (not states and best is HealthState.UNCHECKED)
    assert all(BEST_FIRST.index(best) <= BEST_FIRST.index(each) for each in states)


def test_every_state_has_its_place() -> None:
    assert sorted(BEST_FIRST) == sorted(HealthState)


@pytest.mark.parametrize(
    ("state", "reasons", "word"),
    [
        (HealthState.UNCHECKED, [REASON], HealthWord.UNCHECKED),
        (HealthState.HEALTHY, [REASON], HealthWord.HEALTHY),
        (HealthState.REACHABLE, [], HealthWord.HEALTHY),
        (HealthState.DEGRADED, [], HealthWord.HEALTHY),
        (HealthState.DOWN, [], HealthWord.UNREACHABLE),
        (HealthState.DOWN, ["refused", REASON], HealthWord.MUTUAL_TLS),
        (HealthState.DOWN, ["failed in TLS (expired)"], HealthWord.UNREACHABLE),
    ],
)
def test_the_contract_knows_fewer_words(
    state: HealthState, reasons: list[str], word: HealthWord
) -> None:
    assert word_of(state, reasons) is word


def test_outcomes_are_up_or_down_by_the_rule_or_neither() -> None:
    neither = {OutcomeClass.NONE, OutcomeClass.MAINTENANCE}
    for preset in HealthPreset:
        codes = (404,) if preset is HealthPreset.CUSTOM else ()
        rule = HealthRule(preset=preset, down_codes=codes)
        up, down = up_outcomes(rule), down_outcomes(rule)
        assert not up & down
        assert up | down == set(OutcomeClass) - neither
        assert OutcomeClass.OK in up
        assert OutcomeClass.TIMEOUT in down
    assert OutcomeClass.CHALLENGED in up_outcomes(STANDARD_RULE)
    assert OutcomeClass.CHALLENGED in down_outcomes(HealthRule(preset=HealthPreset.STRICT_200))


def test_only_replies_have_a_time() -> None:
    timed = timed_outcomes()
    assert {OutcomeClass.OK, OutcomeClass.UNAVAILABLE, OutcomeClass.GLOBAL} <= timed
    assert not timed & {OutcomeClass.TIMEOUT, OutcomeClass.TLS, OutcomeClass.MAINTENANCE}
