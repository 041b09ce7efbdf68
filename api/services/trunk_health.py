"""How a trunk stands, as far as it was written down: read from rows, so also while no worker runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from domain.health import HealthState, TargetHealth, explain
from domain.health_history import unpack_minutes
from domain.health_rule import STANDARD_RULE, HealthRule, HealthSource
from domain.health_schedule import next_due
from domain.trunk import Direction, TrunkProfile
from domain.trunk_health import (
    HealthWord,
    best_of,
    word_of,
)
from storage import trunks
from storage.health_of_trunks import state_of_trunk
from storage.health_reads import (
    EndpointStanding,
    HistoryHour,
    TargetStanding,
    hours_of,
    picture_of,
)
from storage.ids import is_id
from storage.tables import Trunk

__all__ = ["LastProbe", "TrunkStanding", "moment_of", "the_trunk", "trunk_standing"]

HOUR: Final = timedelta(hours=1)
SEEN_WITHIN: Final = timedelta(hours=2)
"""Samples are written every few minutes: an older one is that of a target nobody probes."""

INBOUND_ONLY: Final = "it carries inbound calls only, and nothing is sent there"
NO_ENDPOINT: Final = "it has no endpoint that calls are sent to"
NOT_PLACED: Final = "its endpoints are about to be checked"


@dataclass(frozen=True, slots=True)
class LastProbe:
    """The last that was written down of a target."""

    at: datetime
    status: int | None
    ms: float | None


@dataclass(frozen=True, slots=True)
class TrunkStanding:
    """A trunk with its endpoints as they stand at ``now``; ``best`` is the target it is as good as."""

    trunk: Trunk
    profile: TrunkProfile
    now: datetime
    interval: float
    state: HealthState
    since: datetime | None
    endpoints: tuple[EndpointStanding, ...]
    recent: Mapping[str, Sequence[HistoryHour]]

    @property
    def targets(self) -> list[TargetStanding]:
        return [target for endpoint in self.endpoints for target in endpoint.targets]

    @property
    def rule(self) -> HealthRule:
        return self.endpoints[0].rule if self.endpoints else STANDARD_RULE

    @property
    def best(self) -> TargetStanding | None:
        return next((each for each in self.targets if each.health.state is self.state), None)

    @property
    def health(self) -> HealthWord:
        down = (each for each in self.targets if each.health.state is HealthState.DOWN)
        return word_of(self.state, (each.health.reason for each in down))

    @property
    def reason(self) -> str:
        """Why it stands so, as a sentence."""
        if not self.endpoints:
            if not self.profile.direction.serves(Direction.OUTBOUND):
                return f"unchecked: {INBOUND_ONLY}"
            return f"unchecked: {NO_ENDPOINT if self.profile.endpoint is None else NOT_PLACED}"
        best = self.best
        if best is not None:
            return self.explanation(best)
        failed = next((each for each in self.endpoints if each.error is not None), None)
        if failed is not None:
            return f"{self.state.value}: {failed.label} was not found in the DNS: {failed.error}"
        return f"unchecked: {NOT_PLACED}"

    def explanation(self, target: TargetStanding) -> str:
        """Where a target stands, why, and what comes next."""
        due = self.next_probe(target)
        return explain(
            target.health,
            now=self.now.timestamp(),
            next_at=None if due is None else due.timestamp(),
        )

    def next_probe(self, target: TargetStanding) -> datetime | None:
        """When it is looked at again; ``None`` when it is judged by calls alone."""
        if self.rule.source is HealthSource.CALLS:
            return None
        moment = self.now.timestamp()
        for known in (target.health.maintenance_until, target.next_at):
            if known is not None and known > moment:
                return moment_of(known)
        return moment_of(next_due(target.target_id, moment, self.interval)[1])

    def last_probe(self, target: TargetStanding) -> LastProbe | None:
        """The last that is known of a target, of samples and of what its state was made of."""
        health = target.health
        told = None
        if health.last_at is not None:
            told = LastProbe(moment_of(health.last_at), health.last_status, health.last_ms)
        sample = _last_sample(self.recent.get(target.target_id, ()))
        if sample is None or (told is not None and told.at >= sample.at):
            return told
        return sample

    @property
    def last_checked(self) -> datetime | None:
        probes = (self.last_probe(each) for each in self.targets)
        return max((each.at for each in probes if each is not None), default=None)


async def the_trunk(session: AsyncSession, org_id: str, trunk_id: str) -> Trunk:
    """The organization's trunk. Raises ``NotFound``."""
    found = await trunks.get(session, org_id, trunk_id) if is_id("trk", trunk_id) else None
    if found is None:
        raise NotFound("no such trunk")
    return found


async def trunk_standing(
    session: AsyncSession, trunk: Trunk, *, now: datetime, interval: timedelta
) -> TrunkStanding:
    """How the trunk stands; ``interval`` is between two probes of a target."""
    endpoints = await picture_of(session, trunk.id)
    ids = {target.target_id for endpoint in endpoints for target in endpoint.targets}
    recent: dict[str, list[HistoryHour]] = {}
    for each in await hours_of(session, ids, since=now - SEEN_WITHIN - HOUR, until=now + HOUR):
        recent.setdefault(each.target_id, []).append(each)
    kept = await state_of_trunk(session, trunk.id)
    targets = [target.health for endpoint in endpoints for target in endpoint.targets]
    state = HealthState.UNCHECKED if kept is None else kept.state
    if targets:
        # Of the picture, because what is kept for lists may be newer, and the two have to agree.
        state = best_of(each.state for each in targets)
    return TrunkStanding(
        trunk=trunk,
        profile=trunks.profile_of(trunk),
        now=now,
        interval=interval.total_seconds(),
        state=state,
        since=kept.since if kept is not None and kept.state is state else _since(targets, state),
        endpoints=endpoints,
        recent=recent,
    )


def _since(targets: Iterable[TargetHealth], state: HealthState) -> datetime | None:
    """Since when the first of the targets that make the state has been in it."""
    known = [each.since for each in targets if each.state is state and each.since is not None]
    return moment_of(min(known)) if known else None


def _last_sample(hours: Iterable[HistoryHour]) -> LastProbe | None:
    for each in sorted(hours, key=lambda hour: hour.hour, reverse=True):
        samples = unpack_minutes(each.minutes or b"")
        if samples:
            minute = max(samples)
            return LastProbe(each.hour + timedelta(minutes=minute), None, samples[minute].ms)
    return None


def moment_of(seconds: float) -> datetime:
    """Seconds since 1970 as the API shows them."""
    return datetime.fromtimestamp(seconds, UTC)
