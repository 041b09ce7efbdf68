"""What is known of how soon a target answers."""

from __future__ import annotations

from domain.health import observe
from domain.health_rule import STANDARD_RULE
from tests.domain.test_health import NOW, UP, call, missed, reply


def test_an_answered_call_leaves_what_the_last_probe_took_and_a_miss_does_not() -> None:
    probed_once = observe(UP, reply(200), STANDARD_RULE).health
    called = observe(probed_once, call(200, NOW + 5), STANDARD_RULE).health
    assert (called.last_at, called.last_status, called.last_ms) == (NOW + 5, 200, 12.0)
    assert observe(called, missed(at=NOW + 60), STANDARD_RULE).health.last_ms is None
