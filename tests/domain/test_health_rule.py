"""Rules: which outcome means what, by each preset (field guide 1.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.health_observation import HealthState, Observation, Observed
from domain.health_rule import STANDARD_RULE, HealthPreset, HealthRule, HealthSource, judge

HEALTHY, REACHABLE = HealthState.HEALTHY, HealthState.REACHABLE
DEGRADED, DOWN = HealthState.DEGRADED, HealthState.DOWN
BROKEN = tuple(
    kind for kind in Observed if kind not in (Observed.REPLY, Observed.CALL, Observed.IDLE_CLOSED)
)

RULES = (
    STANDARD_RULE,
    HealthRule(preset=HealthPreset.STRICT_200),
    HealthRule(preset=HealthPreset.ANY_REPLY),
    HealthRule(preset=HealthPreset.CISCO),
    HealthRule(preset=HealthPreset.CUSTOM, down_codes=(404, 503)),
    HealthRule(preset=HealthPreset.CUSTOM, up_codes=(200, 408, 486)),
)


def judged(status: int, rule: HealthRule, kind: Observed = Observed.REPLY) -> HealthState:
    return judge(Observation(at=0.0, kind=kind, status=status), rule).state


@pytest.mark.parametrize(
    ("status", "standard", "strict", "any_reply", "cisco"),
    [
        (200, HEALTHY, HEALTHY, HEALTHY, HEALTHY),
        (202, HEALTHY, DOWN, HEALTHY, HEALTHY),
        (302, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (401, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (403, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (404, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (405, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (407, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (408, DOWN, DOWN, REACHABLE, REACHABLE),
        (415, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (416, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (420, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (481, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (482, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (483, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (486, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (488, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (500, DEGRADED, DOWN, REACHABLE, REACHABLE),
        (501, REACHABLE, DOWN, REACHABLE, REACHABLE),
        (502, DEGRADED, DOWN, REACHABLE, REACHABLE),
        (503, DOWN, DOWN, REACHABLE, DOWN),
        (504, DEGRADED, DOWN, REACHABLE, REACHABLE),
        (505, DEGRADED, DOWN, REACHABLE, DOWN),
        (513, DEGRADED, DOWN, REACHABLE, REACHABLE),
        (580, DEGRADED, DOWN, REACHABLE, REACHABLE),
        (603, REACHABLE, DOWN, REACHABLE, REACHABLE),
    ],
)
def test_presets_judge_as_the_table_says(
    status: int,
    standard: HealthState,
    strict: HealthState,
    any_reply: HealthState,
    cisco: HealthState,
) -> None:
    assert [judged(status, rule) for rule in RULES[:4]] == [standard, strict, any_reply, cisco]


def test_a_custom_list_of_what_is_down_leaves_the_rest_up() -> None:
    rule = HealthRule(preset=HealthPreset.CUSTOM, down_codes=(404, 503))
    assert [judged(code, rule) for code in (200, 404, 408, 500, 503)] == [
        HEALTHY,
        DOWN,
        REACHABLE,
        REACHABLE,
        DOWN,
    ]


def test_a_custom_list_of_what_is_up_leaves_the_rest_down() -> None:
    rule = HealthRule(preset=HealthPreset.CUSTOM, up_codes=(200, 486), down_codes=(503,))
    assert [judged(code, rule) for code in (200, 202, 486, 404, 503)] == [
        HEALTHY,
        DOWN,
        REACHABLE,
        DOWN,
        DOWN,
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.key)
@pytest.mark.parametrize("kind", BROKEN)
def test_no_list_is_satisfied_by_what_no_peer_sent(kind: Observed, rule: HealthRule) -> None:
    made_here = Observation(at=0.0, kind=kind, status=408)
    assert judge(made_here, rule).state is DOWN


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.key)
def test_calls_are_judged_by_what_they_say_about_the_trunk(rule: HealthRule) -> None:
    busy = (200, 486, 487, 600, 603)
    assert {judged(code, rule, Observed.CALL) for code in busy} == {HEALTHY}
    assert {judged(code, rule, Observed.CALL) for code in (403, 404, 480, 488)} == {REACHABLE}
    assert {judged(code, rule, Observed.CALL) for code in (408, 503)} == {DOWN}
    assert judge(Observation(at=0.0, kind=Observed.CALL), rule).state is DOWN


@given(st.integers(200, 699))
def test_strict_is_never_kinder_and_any_reply_never_harsher_than_the_standard(status: int) -> None:
    order = (HEALTHY, REACHABLE, DEGRADED, DOWN)
    standard, strict, any_reply, _ = (order.index(judged(status, rule)) for rule in RULES[:4])
    assert any_reply <= standard
    assert strict >= standard


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "standard", "down_codes": (503,)},
        {"preset": "custom"},
        {"preset": "custom", "down_codes": (200,)},
        {"preset": "custom", "down_codes": (199,)},
        {"preset": "custom", "up_codes": (700,)},
        {"preset": "custom", "up_codes": (486,), "down_codes": (486,)},
        {"preset": "custom", "down_codes": tuple(range(400, 465))},
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HealthRule.model_validate(settings)


def test_keys_are_equal_for_equal_rules_and_for_no_others() -> None:
    keys = [rule.key for rule in RULES]
    assert keys[:4] == ["standard", "strict_200", "any_reply", "cisco"]
    assert len(set(keys)) == len(keys)
    turned = HealthRule(preset=HealthPreset.CUSTOM, down_codes=(503, 404, 404))
    assert turned.key == RULES[4].key
    assert HealthRule(source=HealthSource.CALLS).key == "standard+calls"
