"""What speaks for an alert, kind by kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alert_calls import NOT_THE_TRUNKS_FAULT, call_failed, tally_of
from domain.alert_kinds import AlertKind, Severity
from domain.alert_picture import (
    CallTally,
    CertificateOwner,
    ChannelKind,
    FailingRecipient,
    KnownCertificate,
    ProbeReply,
    Recipients,
    WatchedTrunk,
)
from domain.alert_slowness import slow_since
from domain.alert_state import Alert, AlertDecision
from domain.alerts import decide
from tests.domain.alerting import NOW, after, endpoint, picture, seconds, target, trunk, window

MINUTE = timedelta(minutes=1)
FAILURES = {"failure_rate_percent": 20, "failure_rate_window_minutes": 30}
SLOW = {"response_time_ms": 500}


def decided(*trunks: WatchedTrunk, **facts: Any) -> AlertDecision:
    return decide(picture(*trunks, **facts), [], NOW)


def opened(*trunks: WatchedTrunk, **facts: Any) -> Alert:
    [change] = decided(*trunks, **facts).opened
    assert change.because
    return change.alert


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        *((each, False) for each in (200, 302, 404, 480, 484, 486, 487, 600, 603)),
        *((each, True) for each in (401, 403, 408, 488, 500, 503, 606, None)),
    ],
)
def test_a_call_has_failed_when_the_trunk_did_not_do_its_part(
    status: int | None, failed: bool
) -> None:
    assert call_failed(status) is failed


@given(st.lists(st.none() | st.integers(200, 699)))
def test_calls_are_counted_by_what_ended_them(statuses: list[int | None]) -> None:
    tally = tally_of(statuses)
    assert 0 <= tally.failed <= tally.calls == len(statuses)
    assert tally.top_status not in NOT_THE_TRUNKS_FAULT
    if tally.failed:
        assert call_failed(tally.top_status)


def test_the_most_frequent_failure_is_named() -> None:
    assert tally_of([503, 503, 403, 200]) == CallTally(calls=4, failed=3, top_status=503)
    assert tally_of([200]) == CallTally(calls=1, failed=0)


@pytest.mark.parametrize(
    ("calls", "failed", "opens"), [(4, 4, False), (5, 1, True), (5, 0, False), (100, 19, False)]
)
def test_a_rate_needs_enough_calls_and_enough_failures(
    calls: int, failed: int, opens: bool
) -> None:
    tally = CallTally(calls=calls, failed=failed, top_status=503)
    found = decided(trunk("a", thresholds=FAILURES, calls=tally)).opened
    assert bool(found) is opens


def test_a_failure_rate_is_told_with_its_figures() -> None:
    tally = CallTally(calls=20, failed=10, top_status=None)
    alert = opened(trunk("Sales", thresholds=FAILURES, calls=tally))
    assert alert.kind is AlertKind.FAILURE_RATE
    assert alert.happened == (
        "10 of the 20 calls of the last 30 minutes failed (50 %, the limit is 20 %), most of them"
        " with no answer at all. Concerned: Sales, 1 trunk with 2 numbers."
    )
    other = CallTally(calls=20, failed=10, top_status=503)
    assert "most of them with 503" in opened(trunk("a", thresholds=FAILURES, calls=other)).happened


def test_a_figure_that_moves_is_no_change() -> None:
    watched = trunk("a", thresholds=FAILURES, calls=CallTally(calls=20, failed=10))
    alerts = after([], decided(watched))
    moved = watched.model_copy(update={"calls": CallTally(calls=22, failed=12)})
    assert decide(picture(moved), alerts, NOW + MINUTE).updated == ()


def test_failure_rates_of_two_trunks_are_two_alerts() -> None:
    tally = CallTally(calls=20, failed=10)
    trunks = [trunk(name, thresholds=FAILURES, calls=tally) for name in ("a", "b")]
    assert len(decided(*trunks).opened) == 2


def replies(*ms: float, every: float = 60, until: datetime = NOW) -> tuple[ProbeReply, ...]:
    last = len(ms) - 1
    return tuple(
        ProbeReply(at=until - seconds(every * (last - index)), ms=each)
        for index, each in enumerate(ms)
    )


def test_slow_is_a_median_of_three_above_the_limit() -> None:
    assert slow_since(replies(600, 600, 600), 500, NOW) == NOW
    assert slow_since(replies(100, 600, 600, 600), 500, NOW) == NOW - MINUTE
    assert slow_since(replies(600, 600, 100, 600), 500, NOW) == NOW - MINUTE
    assert slow_since(replies(600, 600), 500, NOW) is None
    assert slow_since(replies(600, 100, 100), 500, NOW) is None
    assert slow_since((), 500, NOW) is None


def test_old_replies_say_nothing() -> None:
    assert slow_since(replies(600, 600, 600, until=NOW - 16 * MINUTE), 500, NOW) is None


def test_a_slow_host_is_one_alert_after_three_minutes() -> None:
    fast, slow = replies(*[100] * 7), replies(*[900] * 7)
    sip = endpoint("sip.example.com", target(replies=slow), target("203.0.113.6", replies=slow))
    alert = opened(trunk("a", sip, thresholds=SLOW), trunk("b", sip, thresholds=SLOW))
    assert (alert.kind, alert.cause) == (AlertKind.RESPONSE_TIME, "sip.example.com")
    assert "about 900 ms" in alert.happened
    assert len(alert.members) == 2
    half = endpoint("sip.example.com", target(replies=slow), target("203.0.113.6", replies=fast))
    assert opened(trunk("a", half, thresholds=SLOW)).cause == "203.0.113.5:5060/udp"
    young = endpoint("sip.example.com", target(replies=replies(*[900] * 4)))
    assert decided(trunk("a", young, thresholds=SLOW)).opened == ()


def certificate(left: timedelta, **facts: Any) -> KnownCertificate:
    values: dict[str, Any] = {
        "owner": CertificateOwner.CLIENT,
        "fingerprint": "ab" * 32,
        "subject": "CN=pbx.example.com",
        "expires_at": NOW + left,
    }
    return KnownCertificate(**(values | facts))


@pytest.mark.parametrize(
    ("days", "severity"),
    [(22, None), (21, Severity.INFO), (7, Severity.WARNING), (1, Severity.CRITICAL)],
)
def test_a_certificate_grows_more_urgent(days: int, severity: Severity | None) -> None:
    found = decided(trunk("a", certificates=(certificate(timedelta(days=days)),))).opened
    assert [each.alert.severity for each in found] == ([severity] if severity else [])


def test_each_step_of_a_certificate_raises_the_open_alert_once() -> None:
    watched = trunk("a", certificates=(certificate(timedelta(days=20)),))
    alerts = after([], decide(picture(watched), [], NOW))
    later = decide(picture(watched), alerts, NOW + timedelta(days=14))
    assert [each.raised for each in later.updated] == [True]
    alerts = after(alerts, later)
    assert decide(picture(watched), alerts, NOW + timedelta(days=15)).updated == ()
    renewed = trunk("a", certificates=(certificate(timedelta(days=400), fingerprint="cd" * 32),))
    [over] = decide(picture(renewed), alerts, NOW + timedelta(days=16)).resolved
    assert over.because == ("1 member left: nothing speaks for it any more", "over")


def test_a_certificate_of_several_trunks_is_one_alert() -> None:
    of_peer = certificate(
        -timedelta(days=1), owner=CertificateOwner.PEER, host="sip.example.com", subject="CN=sip"
    )
    watched = [trunk(name, certificates=(of_peer,)) for name in "ab"]
    alert = opened(*watched)
    assert len(alert.members) == 2
    assert "The certificate of sip.example.com CN=sip expired on 2026-03-08" in alert.happened


def test_flapping_is_by_hand_or_too_many_failures_in_an_hour() -> None:
    times = tuple(NOW - 10 * each * MINUTE for each in range(5))
    assert decided(trunk("a", left=times[:4])).opened == ()
    assert "failed 5 times within an hour" in opened(trunk("a", left=times)).happened
    assert "only an operator" in opened(trunk("a", by_hand=True)).happened
    old = tuple(each - timedelta(hours=1) for each in times)
    assert decided(trunk("a", left=old)).opened == ()
    planned = (window(NOW - MINUTE, NOW + MINUTE),)
    assert decided(trunk("a", by_hand=True, windows=planned)).opened == ()


def test_a_channel_that_leads_to_nobody_is_told() -> None:
    alert = opened(trunk("a"), trunk("b"), recipients=Recipients(webhooks=1))
    assert (alert.kind, alert.cause) == (AlertKind.ALERTING_BROKEN, "email")
    assert "names no e-mail address" in alert.happened
    assert len(alert.members) == 2


def test_a_delivery_that_was_given_up_is_told() -> None:
    failing = FailingRecipient(
        channel=ChannelKind.WEBHOOK, key="whk_1", label="ops", since=NOW, error="HTTP 410"
    )
    alert = opened(failing=(failing,))
    assert alert.cause == "webhook to ops"
    assert alert.happened == ("The last alert was given up on 2026-03-09 12:00:00 UTC: HTTP 410.")
    alerts = after([], decided(failing=(failing,)))
    assert decide(picture(failing=(failing,)), alerts, NOW + MINUTE).updated == ()
    [over] = decide(picture(), alerts, NOW + MINUTE).resolved
    assert not over.alert.is_open


def test_many_causes_and_findings_are_counted() -> None:
    down = NOW - 10 * MINUTE
    hosts = [
        endpoint(f"sip{index}.example.com", target(f"203.0.113.{index}", down_since=down))
        for index in range(1, 7)
    ]
    alert = opened(trunk("a", *hosts))
    assert alert.cause == "sip1.example.com, sip2.example.com, sip3.example.com and 3 more"
    assert "There are 3 more findings of the kind." in alert.happened
