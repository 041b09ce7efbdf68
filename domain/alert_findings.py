"""What speaks for an alert about one trunk, a certificate, or alerting itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from domain.alert_condition import ORGANIZATION, Condition, in_maintenance
from domain.alert_kinds import AlertKind, Severity
from domain.alert_picture import (
    AlertPicture,
    CertificateOwner,
    ChannelKind,
    KnownCertificate,
    WatchedTrunk,
)
from domain.failover_words import moment
from domain.trunk_config import STANDARD_WINDOW_MINUTES

__all__ = [
    "CERTIFICATE_DAYS",
    "FEWEST_CALLS",
    "MOST_TRANSITIONS",
    "broken_channels",
    "certificates",
    "failures",
    "flapping",
]

FEWEST_CALLS: Final = 5
"""With fewer calls in the window a rate says nothing: one failed call is no alert."""

MOST_TRANSITIONS: Final = 4
"""Failures in an hour of endpoints that calls went to; more are flapping."""

CERTIFICATE_DAYS: Final = ((1, Severity.CRITICAL), (7, Severity.WARNING), (21, Severity.INFO))
"""The severity that a certificate has with so many days left: each step is told once."""

_HOUR: Final = timedelta(hours=1)


def failures(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Trunks of whose calls too many failed."""
    for trunk in picture.trunks:
        thresholds, tally = trunk.alerts.thresholds, trunk.calls
        limit = thresholds.failure_rate_percent
        if limit is None or tally is None or tally.calls < FEWEST_CALLS or not tally.failed:
            continue
        percent = 100 * tally.failed / tally.calls
        if percent < limit:
            continue
        minutes = thresholds.failure_rate_window_minutes or STANDARD_WINDOW_MINUTES
        most = "no answer at all" if tally.top_status is None else f"{tally.top_status}"
        because = (
            f"{tally.failed} of the {tally.calls} calls of the last {minutes:g} minutes failed "
            f"({percent:.0f} %, the limit is {limit:g} %), most of them with {most}"
        )
        yield _of_trunk(AlertKind.FAILURE_RATE, trunk, because, now)


def flapping(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Trunks that change between their endpoints too often."""
    for trunk in picture.trunks:
        changes = sum(now - _HOUR < each <= now for each in trunk.left)
        if trunk.by_hand:
            because = "Endpoints failed so often that only an operator moves calls back"
        elif changes > MOST_TRANSITIONS:
            because = f"Endpoints that calls went to failed {changes} times within an hour"
        else:
            continue
        yield _of_trunk(AlertKind.FLAPPING, trunk, because, now)


def certificates(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Certificates that expire soon; one that several trunks use is one cause."""
    for trunk in picture.trunks:
        for each in trunk.certificates:
            severity = _urgency(each, now)
            if severity is not None:
                yield _expiring(trunk, each, severity, now)


def broken_channels(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Recipients that could not be reached, and channels that lead to nobody."""
    for failing in picture.failing:
        yield Condition(
            kind=AlertKind.ALERTING_BROKEN,
            cause=f"{failing.channel.value} to {failing.label}",
            tokens=frozenset({f"{failing.channel.value}:{failing.key}"}),
            trunk_id=ORGANIZATION,
            name="",
            numbers=0,
            since=failing.since,
            ready_at=failing.since,
            severity=Severity.WARNING,
            because=f"The last alert was given up on {moment(failing.since)}: {failing.error}",
        )
    there = picture.recipients
    missing = {
        ChannelKind.EMAIL: (not there.emails, "no e-mail address"),
        ChannelKind.SMS: (not there.phones, "no phone number"),
        ChannelKind.WEBHOOK: (not there.webhooks, "no webhook endpoint"),
    }
    for trunk in picture.trunks:
        channels = trunk.alerts.channels
        enabled = {
            ChannelKind.EMAIL: channels.email,
            ChannelKind.SMS: channels.sms,
            ChannelKind.WEBHOOK: channels.webhook is True,
        }
        for channel, (is_missing, words) in missing.items():
            if enabled[channel] and is_missing:
                because = f"Alerts go by {channel.value}, but the organization names {words}"
                yield Condition(
                    kind=AlertKind.ALERTING_BROKEN,
                    cause=channel.value,
                    tokens=frozenset({f"{channel.value}:nobody"}),
                    trunk_id=trunk.trunk_id,
                    name=trunk.name,
                    numbers=trunk.numbers,
                    since=now,
                    ready_at=now,
                    severity=Severity.WARNING,
                    because=because,
                )


def _urgency(certificate: KnownCertificate, now: datetime) -> Severity | None:
    left = certificate.expires_at - now
    for days, severity in CERTIFICATE_DAYS:
        if left <= timedelta(days=days):
            return severity
    return None


def _expiring(
    trunk: WatchedTrunk, certificate: KnownCertificate, severity: Severity, now: datetime
) -> Condition:
    ours = certificate.owner is CertificateOwner.CLIENT
    whose = "our client certificate" if ours else f"the certificate of {certificate.host}"
    ends = "expired" if certificate.expires_at <= now else "expires"
    return Condition(
        kind=AlertKind.CERTIFICATE_EXPIRING,
        cause=f"{whose} {certificate.subject}",
        tokens=frozenset({f"certificate:{certificate.fingerprint}"}),
        trunk_id=trunk.trunk_id,
        name=trunk.name,
        numbers=trunk.numbers,
        since=now,
        ready_at=now,
        severity=severity,
        because=f"{whose[:1].upper()}{whose[1:]} {certificate.subject} {ends} on {moment(certificate.expires_at)}",
        in_maintenance=in_maintenance(trunk, now),
    )


def _of_trunk(kind: AlertKind, trunk: WatchedTrunk, because: str, now: datetime) -> Condition:
    return Condition(
        kind=kind,
        cause=trunk.name,
        tokens=frozenset({f"trunk:{trunk.trunk_id}"}),
        trunk_id=trunk.trunk_id,
        name=trunk.name,
        numbers=trunk.numbers,
        since=now,
        ready_at=now,
        severity=Severity.WARNING,
        because=because,
        in_maintenance=in_maintenance(trunk, now),
    )
