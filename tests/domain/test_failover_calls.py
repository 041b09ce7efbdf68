"""Where calls go when calls fail while every OPTIONS is answered."""

from __future__ import annotations

import pytest

from domain.failover_picture import CallSign
from domain.failover_state import Cause
from domain.trunk_config import Failback, FailoverTrigger
from tests.domain.failovers import (
    RULES,
    settled,
)

MANUAL = RULES.model_copy(update={"failback": Failback.MANUAL})


class TestCalls:
    """Calls that fail while every OPTIONS is answered."""

    @pytest.mark.parametrize(
        ("sign", "cause"),
        [(CallSign.TIMEOUT, Cause.TIMEOUT), (CallSign.UNREACHABLE, Cause.UNREACHABLE)],
    )
    def test_three_in_a_row_move_calls(self, sign: CallSign, cause: Cause) -> None:
        desk = settled()
        for _ in range(2):
            desk.call(0, sign)
            assert desk.position == 0
        desk.call(0, sign)
        assert (desk.position, desk.route.cause) == (1, cause)

    def test_refused_credentials_move_calls_when_that_is_enabled(self) -> None:
        enabled = RULES.model_copy(update={"triggers": (FailoverTrigger.AUTH_FAILURE,)})
        for rules, moves in ((RULES, False), (enabled, True)):
            desk = settled(rules=rules)
            for _ in range(3):
                desk.call(0, CallSign.AUTH_FAILURE, status=403)
            assert desk.position == int(moves)

    def test_a_call_that_the_endpoint_took_begins_the_count_anew(self) -> None:
        desk = settled()
        for sign in (CallSign.TIMEOUT, CallSign.TIMEOUT, CallSign.ALIVE, CallSign.TIMEOUT):
            desk.call(0, sign)
        desk.call(0, CallSign.TIMEOUT)
        assert desk.position == 0

    def test_what_is_not_enabled_neither_counts_nor_proves_life(self) -> None:
        desk = settled()
        for sign in (CallSign.TIMEOUT, CallSign.AUTH_FAILURE, CallSign.TIMEOUT, CallSign.TIMEOUT):
            desk.call(0, sign)
        assert desk.position == 1

    def test_calls_of_another_endpoint_and_of_another_day_say_nothing(self) -> None:
        desk = settled()
        for _ in range(3):
            desk.call(1, CallSign.TIMEOUT)
        assert desk.position == 0
        desk = settled()
        for _ in range(3):
            desk.call(0, CallSign.TIMEOUT)
            assert desk.position == 0
            desk.after(minutes=31)

    def test_the_endpoint_is_tried_again_after_its_hold_down(self) -> None:
        desk = settled()
        for _ in range(3):
            desk.call(0, CallSign.TIMEOUT)
        assert "left out until" in " ".join(desk.route.why)
        desk.after(minutes=4, seconds=59)
        assert desk.position == 1
        desk.after(seconds=1)
        assert (desk.position, desk.route.cause) == (0, Cause.FAILED_BACK)

    def test_calls_that_fail_everywhere_do_not_move_to_and_fro(self) -> None:
        desk = settled()
        moved = 0
        for _ in range(30):
            before = desk.position
            desk.call(before, CallSign.TIMEOUT)
            moved += desk.position != before
            desk.after(seconds=5)
        assert moved == 2
        assert desk.route.cause is Cause.NO_HEALTHY_ENDPOINT
