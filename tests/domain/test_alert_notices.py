"""What is told to whom, and when nobody is disturbed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.alert_kinds import AlertKind, Severity
from domain.alert_notices import REMIND_AFTER, Notices, NoticeType, alert_routes, notifications
from domain.alert_picture import ChannelKind, FailingRecipient, Recipients
from domain.alert_quiet import QuietHours, quiet_until
from domain.alert_state import Alert, AlertMember, AlertRoute
from domain.trunk_config import AlertChannels, AlertConfig
from tests.domain.alerting import NOW, picture, trunk

HOUR = timedelta(hours=1)
MAIL = AlertRoute(key="email", channel=ChannelKind.EMAIL)
HOOK = AlertRoute(key="webhook", channel=ChannelKind.WEBHOOK)

# NOW is a Monday, 12:00 UTC, 13:00 in Berlin.
NIGHT = QuietHours(start=time(22), end=time(7), zone="Europe/Berlin")
NOON = QuietHours(start=time(12, 30), end=time(14), zone="Europe/Berlin")


def alert(**facts: Any) -> Alert:
    values: dict[str, Any] = {
        "alert_id": "alt_1",
        "org_id": "org_1",
        "kind": AlertKind.UNREACHABLE,
        "cause": "sip.example.com",
        "causes": ("host:sip.example.com",),
        "severity": Severity.WARNING,
        "opened_at": NOW,
        "changed_at": NOW,
        "title": "No answer from sip.example.com",
        "happened": "It is down.",
        "to_change": "Ask.",
        "members": (AlertMember(trunk_id="trk_a", name="a", since=NOW),),
    }
    return Alert(**(values | facts))


def types(notices: Notices) -> list[NoticeType]:
    return [each.type for each in notices.send]


def asked(about: Alert, at: datetime, quiet: QuietHours | None = None) -> Notices:
    notices = notifications(about, (MAIL, HOOK), quiet, at)
    again = notifications(notices.alert, (MAIL, HOOK), quiet, at)
    assert again.send == ()
    return notices


def resolved(about: Alert, at: datetime) -> Alert:
    return about.model_copy(update={"resolved_at": at})


def test_the_opening_and_the_end_are_told_once_to_each_route() -> None:
    notices = asked(alert(), NOW)
    assert [(each.type, each.route) for each in notices.send] == [
        (NoticeType.OPENED, MAIL),
        (NoticeType.OPENED, HOOK),
    ]
    over = asked(resolved(notices.alert, NOW + HOUR), NOW + HOUR)
    assert types(over) == [NoticeType.RESOLVED] * 2
    assert over.wake_at is None


def test_a_higher_severity_is_told_again() -> None:
    told = asked(alert(), NOW).alert
    worse = told.model_copy(update={"severity": Severity.CRITICAL})
    assert types(asked(worse, NOW + HOUR)) == [NoticeType.UPDATED] * 2


def test_one_reminder_after_a_day_unless_somebody_acknowledged() -> None:
    notices = asked(alert(), NOW)
    assert notices.wake_at == NOW + REMIND_AFTER
    reminded = asked(notices.alert, NOW + REMIND_AFTER)
    assert types(reminded) == [NoticeType.REMINDER] * 2
    assert types(asked(reminded.alert, NOW + 3 * REMIND_AFTER)) == []
    known = notices.alert.model_copy(update={"acknowledged_at": NOW + HOUR})
    heard = asked(known, NOW + HOUR)
    assert [(each.type, each.route) for each in heard.send] == [(NoticeType.UPDATED, HOOK)]
    assert types(asked(heard.alert, NOW + REMIND_AFTER)) == []
    assert types(asked(resolved(heard.alert, NOW + HOUR), NOW + HOUR)) == [NoticeType.RESOLVED] * 2


def test_in_maintenance_only_the_end_is_told_of_what_was_told() -> None:
    silent = {"in_maintenance": True}
    assert types(asked(alert(**silent), NOW)) == []
    assert types(asked(resolved(alert(**silent), NOW), NOW)) == []
    told = asked(alert(), NOW).alert.model_copy(update=silent)
    assert types(asked(told, NOW + 2 * REMIND_AFTER)) == []
    assert types(asked(resolved(told, NOW + HOUR), NOW + HOUR)) == [NoticeType.RESOLVED] * 2


def test_messages_wait_for_the_end_of_quiet_hours() -> None:
    held = asked(alert(), NOW, NOON)
    assert types(held) == []
    assert held.wake_at == NOW + HOUR
    assert types(asked(held.alert, NOW + HOUR, NOON)) == [NoticeType.OPENED] * 2
    urgent = alert(severity=Severity.CRITICAL)
    assert types(asked(urgent, NOW, NOON)) == [NoticeType.OPENED] * 2


def test_what_opened_and_ended_in_quiet_hours_is_a_line_of_the_digest() -> None:
    held = asked(alert(), NOW, NOON).alert
    over = resolved(held, NOW + HOUR / 2)
    assert types(asked(over, NOW + HOUR / 2, NOON)) == []
    assert types(asked(over, NOW + HOUR, NOON)) == [NoticeType.DIGEST] * 2


def config(**channels: Any) -> AlertConfig:
    return AlertConfig(channels=AlertChannels(**channels))


def test_routes_are_those_of_the_members_each_once() -> None:
    own = "https://hooks.example.com/a?secret=1"
    trunks = [
        trunk("a", alerts=config(email=True, sms=True, webhook=own)),
        trunk("b", alerts=config(webhook=own)),
        trunk("c", alerts=config(webhook=True)),
        trunk("d", alerts=config(webhook=False)),
    ]
    members = tuple(AlertMember(trunk_id=f"trk_{each}", name=each, since=NOW) for each in "abd")
    routes = alert_routes(alert(members=members), picture(*trunks))
    assert [each.channel.value for each in routes] == ["email", "sms", "webhook"]
    assert routes[2].trunk_id == "trk_a"
    assert "secret" not in routes[2].key
    [only] = alert_routes(
        alert(members=(AlertMember(trunk_id="trk_c", name="c", since=NOW),)), picture(*trunks)
    )
    assert only == HOOK


def test_the_end_is_told_though_the_trunk_is_gone() -> None:
    told = asked(alert(), NOW).alert
    assert alert_routes(told, picture()) == ()
    assert alert_routes(resolved(told, NOW), picture()) == (MAIL, HOOK)


def test_a_channel_that_reaches_nobody_does_not_carry_that_news() -> None:
    own = "https://hooks.example.com/a"
    watched = trunk("a", alerts=config(email=True, webhook=own))
    broken = alert(kind=AlertKind.ALERTING_BROKEN, members=())
    both = alert_routes(broken, picture(watched))
    assert [each.channel for each in both] == [ChannelKind.EMAIL, ChannelKind.WEBHOOK]
    failing = FailingRecipient(
        channel=ChannelKind.WEBHOOK,
        key=both[1].key.removeprefix("webhook:"),
        label="a",
        since=NOW,
        error="HTTP 500",
    )
    assert alert_routes(broken, picture(watched, failing=(failing,))) == (MAIL,)
    shared = trunk("b", alerts=config(webhook=True))
    assert HOOK in alert_routes(broken, picture(watched, shared, failing=(failing,)))
    of_all = failing.model_copy(update={"key": "whk_1"})
    assert HOOK not in alert_routes(broken, picture(watched, shared, failing=(of_all,)))
    nobody = picture(watched, recipients=Recipients())
    assert alert_routes(broken, nobody) == (both[1],)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (datetime(2026, 3, 9, 20, 59, tzinfo=UTC), None),
        (datetime(2026, 3, 9, 21, 0, tzinfo=UTC), datetime(2026, 3, 10, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 10, 5, 59, tzinfo=UTC), datetime(2026, 3, 10, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 10, 6, 0, tzinfo=UTC), None),
        # The clock goes forward in the night to 29 March: the end comes an hour earlier in UTC.
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_follow_the_clock_of_their_zone(at: datetime, until: datetime | None) -> None:
    assert quiet_until(NIGHT, Severity.WARNING, at) == until


def test_quiet_hours_belong_to_the_day_they_begin_on() -> None:
    friday = NIGHT.model_copy(update={"days": (4,)})
    saturday_morning = datetime(2026, 3, 14, 5, 0, tzinfo=UTC)
    assert quiet_until(friday, Severity.INFO, saturday_morning) is not None
    assert quiet_until(friday, Severity.INFO, saturday_morning - timedelta(days=1)) is None


def test_whole_days_in_a_row_are_one_silence() -> None:
    weekend = QuietHours(start=time(0), end=time(0), zone="UTC", days=(5, 6))
    saturday = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
    assert quiet_until(weekend, Severity.INFO, saturday) == datetime(2026, 3, 16, tzinfo=UTC)
    always = weekend.model_copy(update={"days": tuple(range(7))})
    ends = quiet_until(always, Severity.INFO, saturday)
    assert ends is not None
    assert ends - saturday < timedelta(days=9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Mars/Olympus"},
        {"zone": "../etc/passwd"},
        {"zone": ""},
        {"days": (7,)},
        {"start": time(22, tzinfo=UTC)},
    ],
)
def test_quiet_hours_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"start": time(22), "end": time(7), "zone": "UTC"}
    with pytest.raises(ValidationError):
        QuietHours(**(right | wrong))


@given(
    st.times(),
    st.times(),
    st.sets(st.integers(0, 6)),
    st.sampled_from(list(Severity)),
    st.integers(0, 365 * 24 * 60).map(lambda each: NOW + timedelta(minutes=each)),
)
def test_quiet_hours_end_and_what_pierces_them_never_waits(
    start: time, end: time, days: set[int], severity: Severity, at: datetime
) -> None:
    quiet = QuietHours(start=start, end=end, zone="America/New_York", days=tuple(days))
    until = quiet_until(quiet, severity, at)
    assert quiet_until(None, severity, at) is None
    if severity is Severity.CRITICAL or not days:
        assert until is None
    if until is not None:
        assert at < until < at + timedelta(days=10)
        if len(days) < 7:
            assert quiet_until(quiet, severity, until) is None
