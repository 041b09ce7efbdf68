"""What a peer makes of an INVITE before a telephone rings, without a socket."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviour import Behaviour
from lab.call_demands import refusal_of_call, script_of
from lab.call_manner import ANSWERED, CallManner, Step
from lab.identities import LAB
from sip.message import Request, parse_message
from tests.lab.client import request


def invite(*lines: str, user: str = "100") -> Request:
    message = parse_message(request(f"sip:{user}@lab.test", *lines, method="INVITE"))
    assert isinstance(message, Request)
    return message


def behaviour(manner: CallManner, *, delay: float = 0.0, stuck: bool = False) -> Behaviour:
    return Behaviour(
        ports=(),
        identity=LAB,
        calls=manner,
        delay=timedelta(seconds=delay),
        never_finishes=stuck,
    )


def status(manner: CallManner, asked: Request) -> int | None:
    refusal = refusal_of_call(behaviour(manner), asked)
    return None if refusal is None else refusal.status


def test_without_switches_everybody_is_let_in() -> None:
    assert status(CallManner(), invite(user="+1")) is None


@pytest.mark.parametrize(
    ("manner", "asked", "expected"),
    [
        (CallManner(refuses_plus=True), invite(user="+1"), 404),
        (CallManner(refuses_plus=True), invite(user="1"), None),
        (CallManner(demands_identity=True), invite(), 403),
        (CallManner(demands_identity=True), invite("P-Asserted-Identity: <tel:+1>"), None),
        (CallManner(demands_identity=True), invite("P-Preferred-Identity: <tel:+1>"), 403),
        (CallManner(refuses_extension="100rel"), invite("Supported: timer, 100REL"), 420),
        (CallManner(refuses_extension="100rel"), invite("Supported: timer"), None),
        (CallManner(demands_extension="timer"), invite("Supported: 100rel"), 421),
        (CallManner(demands_extension="timer"), invite("Require: timer"), None),
        (CallManner(script=(Step(183, reliable=True),)), invite(), 421),
        (CallManner(script=(Step(183, reliable=True),)), invite("Supported: 100rel"), None),
        (CallManner(min_se=90), invite(), 422),
        (CallManner(min_se=90), invite("Min-SE: 89"), 422),
        (CallManner(min_se=90), invite("Min-SE: 90;x=y"), None),
    ],
)
def test_a_switch_refuses_what_it_says(
    manner: CallManner, asked: Request, expected: int | None
) -> None:
    assert status(manner, asked) == expected


@given(user=st.from_regex(r"[0-9+*]{1,5}", fullmatch=True))
@settings(max_examples=200)
def test_a_dialled_code_is_a_final_refusal_or_an_ordinary_call(user: str) -> None:
    manner = CallManner(status_by_user=True)
    script = script_of(behaviour(manner), invite(user=user))
    if len(user) == 3 and user.isdigit() and "300" <= user <= "699":
        assert [step.status for step in script] == [100, int(user)]
    else:
        assert script == ANSWERED


def test_a_slow_peer_delays_what_follows_the_100() -> None:
    script = script_of(behaviour(CallManner(), delay=1.5), invite())
    assert [step.wait.total_seconds() for step in script] == [0.0, 1.6, 0.3]


def test_a_stuck_peer_has_a_100_and_nothing_else() -> None:
    assert script_of(behaviour(CallManner(), stuck=True), invite()) == (Step(100),)
