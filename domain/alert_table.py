"""The kinds of alerts: how each is found, when it counts as over, and what it says.

A new kind is a word in ``AlertKind`` and one entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from domain.alert_condition import Condition
from domain.alert_findings import broken_channels, certificates, failures, flapping
from domain.alert_kinds import AlertKind
from domain.alert_outages import outages, routeless
from domain.alert_picture import AlertPicture
from domain.alert_slowness import slowness

__all__ = ["KINDS", "KindRule", "conditions_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """``settle`` is how long nothing may speak for a member until it counts as over. ``title`` is
    completed by the cause, ``to_change`` is the advice."""

    find: Callable[[AlertPicture, datetime], Iterable[Condition]]
    settle: timedelta
    title: str
    to_change: str


KINDS: Final[Mapping[AlertKind, KindRule]] = MappingProxyType(
    {
        AlertKind.UNREACHABLE: KindRule(
            find=outages,
            # Coming back takes three good replies 10 s apart already.
            settle=timedelta(minutes=1),
            title="No answer from {cause}",
            to_change="Ask the operator of {cause} whether it is in service. When it is, check that"
            " its firewall lets our signaling addresses in, and that host, port and transport of"
            " the trunk are still right; the trunk's health page shows each address.",
        ),
        AlertKind.NO_HEALTHY_ENDPOINT: KindRule(
            find=routeless,
            settle=timedelta(minutes=1),
            title="No endpoint works: {cause}",
            to_change="Calls of these trunks fail until an endpoint answers again. Ask the operator"
            " of {cause}, or give the trunks a failover endpoint elsewhere.",
        ),
        AlertKind.FAILURE_RATE: KindRule(
            find=failures,
            settle=timedelta(minutes=5),
            title="Too many calls fail on {cause}",
            to_change="Open a failed call in the call log: its diagnosis names who refused it and"
            " what to change.",
        ),
        AlertKind.RESPONSE_TIME: KindRule(
            find=slowness,
            settle=timedelta(minutes=5),
            title="Slow answers from {cause}",
            to_change="Ask the operator of {cause} about its load, and compare with its other"
            " addresses; when the distance explains the time, raise the threshold.",
        ),
        AlertKind.CERTIFICATE_EXPIRING: KindRule(
            find=certificates,
            settle=timedelta(0),
            title="Certificate expires: {cause}",
            to_change="Put a renewed certificate in place before the old one expires: TLS"
            " connections fail from then on. Yours is replaced in the trunk's settings, the peer's"
            " by its operator.",
        ),
        AlertKind.FLAPPING: KindRule(
            find=flapping,
            settle=timedelta(minutes=15),
            title="{cause} changes between its endpoints again and again",
            to_change="Look at the health history of the endpoint that comes and goes, and pin the"
            " trunk to the one that stays until it is stable. Failing back by hand starts afresh.",
        ),
        AlertKind.ALERTING_BROKEN: KindRule(
            find=broken_channels,
            settle=timedelta(0),
            title="Alerts do not arrive: {cause}",
            to_change="Correct or remove the recipient in the organization's settings and send a"
            " test alert.",
        ),
    }
)


def conditions_in(picture: AlertPicture, now: datetime) -> list[Condition]:
    """Everything that speaks for an alert now, of the trunks whose alerts are switched on."""
    watched = tuple(each for each in picture.trunks if each.alerts.enabled)
    watched_picture = picture.model_copy(update={"trunks": watched})
    return [found for rule in KINDS.values() for found in rule.find(watched_picture, now)]
