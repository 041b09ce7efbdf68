"""What calls that ended say of where they were sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter

from domain.failover_outcomes import facts_in, seen_in, sign_of
from domain.failover_picture import CallSign
from domain.health_observation import Observed
from sip.call_facts import CallFacts, StopCause, TargetOutcome
from sip.dialog_state import FailureCause
from tests.domain.any_calls import FACTS
from tests.domain.calls import DNS, answered, dead, refused, target, unanswered


@pytest.mark.parametrize("status", [486, 487, 600, 603, 604, 607, 608, 404, 480, 484, 488, 501])
def test_a_callee_who_does_not_take_the_call_never_moves_calls(status: int) -> None:
    assert sign_of(refused(status)) is CallSign.ALIVE


@pytest.mark.parametrize(
    ("status", "sign"),
    [
        (401, CallSign.AUTH_FAILURE),
        (403, CallSign.AUTH_FAILURE),
        (407, CallSign.AUTH_FAILURE),
        (408, CallSign.TIMEOUT),
        (504, CallSign.TIMEOUT),
        (500, CallSign.UNREACHABLE),
        (502, CallSign.UNREACHABLE),
        (503, CallSign.UNREACHABLE),
    ],
)
def test_a_refusal_by_the_trunk_is_a_trigger_before_it_rang_and_none_behind(
    status: int, sign: CallSign
) -> None:
    assert sign_of(refused(status)) is sign
    assert sign_of(refused(status, rang=True)) is CallSign.ALIVE


@pytest.mark.parametrize(
    ("facts", "sign"),
    [
        (answered(), CallSign.ALIVE),
        (unanswered(FailureCause.NO_REPLY), CallSign.TIMEOUT),
        (unanswered(FailureCause.NO_ANSWER), CallSign.TIMEOUT),
        (unanswered(FailureCause.TRANSPORT), CallSign.UNREACHABLE),
        (unanswered(FailureCause.OFFER_REFUSED), CallSign.ALIVE),
        (dead(target(outcome=TargetOutcome.REFUSED)), CallSign.UNREACHABLE),
        (dead(target(outcome=TargetOutcome.SILENT)), CallSign.TIMEOUT),
        (dead(target("tls", TargetOutcome.TLS_UNTRUSTED)), CallSign.UNREACHABLE),
        (dead(dns=replace(DNS, targets=0, failure="NXDOMAIN")), CallSign.UNREACHABLE),
    ],
)
def test_what_becomes_of_a_call_speaks_for_its_endpoint(facts: CallFacts, sign: CallSign) -> None:
    assert sign_of(facts) is sign
    assert seen_in(facts)[-1].sign is sign


@pytest.mark.parametrize(
    "facts",
    [
        dead(target(outcome=TargetOutcome.NOT_ALLOWED)),
        unanswered(FailureCause.CANCELLED, facts={"stopped": StopCause.HANG_UP}),
        unanswered(FailureCause.CANCELLED, facts={"stopped": StopCause.INTERRUPTED}),
        dead(),
    ],
)
def test_what_we_did_ourselves_says_nothing(facts: CallFacts) -> None:
    assert sign_of(facts) is None
    assert seen_in(facts) == ()


def test_each_address_that_was_tried_is_seen_and_only_the_last_one_is_the_verdict() -> None:
    first = target(outcome=TargetOutcome.UNAVAILABLE, address="198.51.100.1")
    second = target(outcome=TargetOutcome.REFUSED, address="198.51.100.2")
    third = target(address="198.51.100.3")
    seen = seen_in(replace(refused(486), targets=(first, second, third)))
    assert [(each.address, each.kind, each.sign, each.status) for each in seen] == [
        ("198.51.100.1", Observed.CALL, CallSign.TRIED, 503),
        ("198.51.100.2", Observed.REFUSED, CallSign.TRIED, None),
        ("198.51.100.3", Observed.CALL, CallSign.ALIVE, 486),
    ]


@pytest.mark.parametrize(
    ("facts", "kind", "status"),
    [
        (answered(), Observed.CALL, 200),
        (refused(503), Observed.CALL, 503),
        (refused(500, rang=True), Observed.CALL, 180),
        (unanswered(FailureCause.NO_REPLY), Observed.TIMEOUT, None),
        (unanswered(FailureCause.TRANSPORT), Observed.RESET, None),
        (
            unanswered(
                FailureCause.TRANSPORT,
                facts={"targets": (target(outcome=TargetOutcome.REFUSED),)},
            ),
            Observed.REFUSED,
            None,
        ),
    ],
)
def test_the_address_that_got_the_invite_is_seen_as_it_was(
    facts: CallFacts, kind: Observed, status: int | None
) -> None:
    (seen,) = seen_in(facts)
    assert (seen.kind, seen.status) == (kind, status)


def test_a_name_that_leads_nowhere_is_seen_without_an_address() -> None:
    (seen,) = seen_in(dead(dns=replace(DNS, targets=0, failure="NXDOMAIN")))
    assert (seen.address, seen.detail) == (None, "NXDOMAIN")


@given(FACTS)
@settings(max_examples=100)
def test_whatever_a_call_was_its_verdict_is_the_last_and_the_only_one(facts: CallFacts) -> None:
    seen = seen_in(facts)
    sign = sign_of(facts)
    assert bool(seen) == (sign is not None)
    assert [each.sign for each in seen if each.sign is not CallSign.TRIED] == (
        [sign] if sign else []
    )


@pytest.mark.parametrize(
    "details", [None, {}, {"facts": None}, {"facts": {"dns": 1}}, {"facts": "x"}]
)
def test_details_without_facts_have_none(details: dict[str, Any] | None) -> None:
    assert facts_in(details) is None


def test_facts_are_read_as_they_were_written() -> None:
    facts = refused(503)
    written = TypeAdapter(CallFacts).dump_python(facts, mode="json")
    assert facts_in({"facts": written}) == facts
