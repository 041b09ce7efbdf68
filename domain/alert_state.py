"""Alerts as they are kept, and what a decision says of them. All of it survives as JSON."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.alert_kinds import AlertKind, Severity
from domain.alert_picture import ChannelKind

__all__ = ["Alert", "AlertChange", "AlertDecision", "AlertMember", "AlertRoute", "Told"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AlertMember(_Value):
    """A trunk that an alert is about.

    ``endpoints`` are the labels of those that are out; with ``no_route`` none is left that works.
    ``clear_since`` is since when nothing speaks for it any more, ``left_at`` when that counted as
    the end. ``because`` is the finding in words.
    """

    trunk_id: str
    name: str
    numbers: int = 0
    since: AwareDatetime
    endpoints: tuple[str, ...] = ()
    no_route: bool = False
    in_maintenance: bool = False
    clear_since: AwareDatetime | None = None
    left_at: AwareDatetime | None = None
    because: str = ""

    @property
    def active(self) -> bool:
        return self.left_at is None


class AlertRoute(_Value):
    """A channel to the organization's recipients, or to the webhook of a trunk's own.

    ``key`` tells routes apart; a URL may hold a secret, so it is not in it: ``trunk_id`` is a trunk
    whose configuration holds it.
    """

    key: str
    channel: ChannelKind
    trunk_id: str | None = None


class Told(_Value):
    """What one route was told of an alert, and when."""

    route: AlertRoute
    opened_at: AwareDatetime | None = None
    severity: Severity | None = None
    acknowledged: bool = False
    reminded_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None


class Alert(_Value):
    """An alert, open until ``resolved_at``.

    ``cause`` names what it is about to people; ``causes`` are the words it is found by again, none
    of which two open alerts of a kind share. ``severity`` never falls while it is open. ``flaps``
    counts how often it came back within minutes of its end. ``told`` is of the current opening.
    Members that left stay, so that the end can be told of all.
    """

    alert_id: str
    org_id: str
    kind: AlertKind
    cause: str
    causes: tuple[str, ...]
    severity: Severity
    opened_at: AwareDatetime
    changed_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    title: str
    happened: str
    to_change: str
    members: tuple[AlertMember, ...] = ()
    flaps: int = 0
    in_maintenance: bool = False
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str | None = None
    told: tuple[Told, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def active_members(self) -> tuple[AlertMember, ...]:
        return tuple(each for each in self.members if each.active)


class AlertChange(_Value):
    """An alert after a decision, and why. ``joined`` and ``left`` are trunk ids."""

    alert: Alert
    because: tuple[str, ...]
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    raised: bool = False
    """The severity grew."""


class AlertDecision(_Value):
    """What follows. An alert that came back is among ``opened``. ``wake_at``, later than now, is
    when to decide again though nothing new is seen."""

    opened: tuple[AlertChange, ...] = ()
    updated: tuple[AlertChange, ...] = ()
    resolved: tuple[AlertChange, ...] = ()
    wake_at: AwareDatetime | None = None
