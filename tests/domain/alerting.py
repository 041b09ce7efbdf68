"""Trunks, outages and the alerts that follow, for the tests of alerts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alert_picture import AlertEndpoint, AlertPicture, AlertTarget, Recipients, WatchedTrunk
from domain.alert_state import Alert, AlertDecision
from domain.alerts import decide
from domain.failover_commands import Window
from domain.health_observation import HealthState
from domain.trunk_config import AlertChannels, AlertConfig, AlertThresholds
from sip.transports import Transport

__all__ = [
    "NOW",
    "OutageWorld",
    "after",
    "carrier",
    "endpoint",
    "many",
    "only",
    "picture",
    "seconds",
    "silent",
    "target",
    "trunk",
    "window",
]

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def target(
    address: str = "203.0.113.5", *, down_since: datetime | None = None, **facts: Any
) -> AlertTarget:
    state = HealthState.HEALTHY if down_since is None else HealthState.DOWN
    values: dict[str, Any] = {
        "address": address,
        "port": 5060,
        "transport": Transport.UDP,
        "state": state,
        "since": down_since or NOW - timedelta(days=1),
        "reason": "" if down_since is None else "no answer",
    }
    return AlertTarget(**(values | facts))


def endpoint(host: str, *targets: AlertTarget, position: int = 0, **facts: Any) -> AlertEndpoint:
    values: dict[str, Any] = {"label": host, "name_id": f"nam_{host}"}
    return AlertEndpoint(position=position, host=host, targets=targets, **(values | facts))


def trunk(
    name: str, *endpoints: AlertEndpoint, thresholds: dict[str, Any] | None = None, **facts: Any
) -> WatchedTrunk:
    """A trunk whose only thresholds are those named; standard: unreachable for five minutes."""
    named = {"unreachable_minutes": 5} if thresholds is None else thresholds
    alerts = AlertConfig(
        thresholds=AlertThresholds(**named), channels=AlertChannels(email=True, webhook=True)
    )
    values: dict[str, Any] = {"trunk_id": f"trk_{name}", "name": name, "numbers": 2}
    return WatchedTrunk(**({**values, "endpoints": endpoints, "alerts": alerts} | facts))


def silent(watched: WatchedTrunk) -> WatchedTrunk:
    """The trunk with its alerts switched off."""
    return watched.model_copy(
        update={"alerts": watched.alerts.model_copy(update={"enabled": False})}
    )


def window(begins: datetime, ends: datetime, name_id: str | None = None) -> Window:
    return Window(window_id="win_1", name_id=name_id, starts_at=begins, ends_at=ends)


def picture(*trunks: WatchedTrunk, **facts: Any) -> AlertPicture:
    there = Recipients(emails=1, phones=1, webhooks=1)
    values: dict[str, Any] = {"org_id": "org_1", "trunks": trunks, "recipients": there}
    return AlertPicture(**(values | facts))


def after(alerts: Iterable[Alert], decision: AlertDecision) -> list[Alert]:
    """The alerts as they are kept when the decision has been carried out."""
    kept = {each.alert_id: each for each in alerts}
    for change in (*decision.opened, *decision.updated, *decision.resolved):
        kept[change.alert.alert_id] = change.alert
    return list(kept.values())


class OutageWorld:
    """Trunks under hosts that go down and come back, looked at again and again."""

    def __init__(self, *trunks: WatchedTrunk) -> None:
        self.trunks = list(trunks)
        self.now = NOW
        self.alerts: list[Alert] = []
        self.decisions: list[AlertDecision] = []

    def set_host(self, host: str, state: HealthState) -> None:
        """Every target of the host is in that state from now on."""
        self.trunks = [
            each.model_copy(
                update={
                    "endpoints": tuple(self._changed(one, host, state) for one in each.endpoints)
                }
            )
            for each in self.trunks
        ]

    def _changed(self, one: AlertEndpoint, host: str, state: HealthState) -> AlertEndpoint:
        if one.host != host:
            return one
        targets = tuple(
            each
            if each.state is state
            else each.model_copy(update={"state": state, "since": self.now, "reason": "no answer"})
            for each in one.targets
        )
        return one.model_copy(update={"targets": targets})

    def look(self) -> AlertDecision:
        decision = decide(picture(*self.trunks), self.alerts, self.now)
        self.alerts = after(self.alerts, decision)
        self.decisions.append(decision)
        return decision

    def wait(self, length: timedelta, step: timedelta = timedelta(seconds=10)) -> None:
        """Look every step until the time has passed."""
        end = self.now + length
        while self.now < end:
            self.now = min(end, self.now + step)
            self.look()

    @property
    def open(self) -> list[Alert]:
        return [each for each in self.alerts if each.is_open]


def carrier(name: str, *hosts: str, **facts: Any) -> WatchedTrunk:
    """A trunk over these hosts, two addresses each."""
    endpoints = [
        endpoint(
            host,
            target(f"203.0.113.{10 * int(host[3]) + 1}"),
            target(f"203.0.113.{10 * int(host[3]) + 2}"),
            position=position,
        )
        for position, host in enumerate(hosts)
    ]
    return trunk(name, *endpoints, **facts)


def many(count: int, *hosts: str) -> OutageWorld:
    return OutageWorld(*(carrier(f"t{index:02}", *hosts) for index in range(count)))


def only(world: OutageWorld) -> Alert:
    [alert] = world.alerts
    return alert
