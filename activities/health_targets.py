"""One watched target: when it is probed, and what becomes of what was seen.

Made for very many: what nearly always happens, the same answer as the last time, is settled by
comparing two values.
"""

from __future__ import annotations

from collections.abc import Sequence

from activities.health_samples import new_samples, packed
from domain.health import HealthState, Observation, Observed, Step, TargetHealth, expire, observe
from domain.health_history import OutcomeClass, class_of
from domain.health_rule import HealthRule, HealthSource
from domain.health_schedule import due_of_seed, next_of_seed, seed_of
from sip.net.health_prober import ProbeJob
from storage.health_config import LoadedRule

__all__ = ["RuleStanding", "WatchedTarget"]

LOST_AFTER = 60.0
"""Seconds after which a probe that was never answered for is forgotten: the prober's own limit is
34 s, but a clock that was set may lie between."""


class RuleStanding:
    """Where a target stands by one rule."""

    __slots__ = ("health", "key", "rule")

    def __init__(self, rule: HealthRule, health: TargetHealth) -> None:
        self.rule = rule
        self.key = rule.key
        self.health = health


class WatchedTarget:
    """A target of a shard that this process holds.

    ``next_at`` is when it is looked at again; ``due_at`` when its next regular round is due, which
    is later while an extra look is wanted, and sooner while rounds are left out. ``asks`` says
    whether anybody judges it by OPTIONS, ``asked_at`` since when a probe is out (0: none is),
    ``regular`` whether that one is a round's, ``timed`` whether time alone may change something. Times in
    seconds since 1970.
    """

    __slots__ = (
        "asked_at",
        "asks",
        "due_at",
        "interval",
        "job",
        "missed",
        "next_at",
        "regular",
        "round",
        "samples",
        "seed",
        "shard",
        "standings",
        "steady_kind",
        "steady_outcome",
        "steady_status",
        "target_id",
        "timed",
    )

    def __init__(
        self,
        target_id: str,
        shard: int,
        job: ProbeJob,
        rules: Sequence[LoadedRule],
        interval: float,
    ) -> None:
        self.target_id = target_id
        self.shard = shard
        self.job = job
        self.interval = interval
        self.seed = seed_of(target_id)
        self.standings = [RuleStanding(each.rule, each.health) for each in rules]
        self.samples = new_samples()
        self.round = 0
        self.due_at = self.next_at = 0.0
        self.asked_at = 0.0
        self.regular = False
        self.missed = 0
        self.steady_kind = ""
        self.steady_status: int | None = None
        self.steady_outcome = OutcomeClass.NONE
        self.asks = self.timed = False
        self._look_over()

    def start(
        self, now: float, *, probed_until: float, again: bool, wanted_at: float | None
    ) -> None:
        """Plan the first look: what was begun until ``probed_until`` is not begun again.

        ``again`` repeats what was in flight. ``wanted_at`` is when an extra look was wanted.
        """
        # Of rounds that nobody was there for, one is made up for.
        since = max(probed_until, now - self.interval)
        self.round, self.due_at = next_of_seed(self.seed, since, self.interval)
        self.next_at = self.due_at
        if again:
            self.next_at = now
        elif wanted_at is not None and not self._is_settled():
            self.next_at = wanted_at
        hold = self._held_until()
        if hold > now:
            self.next_at = hold

    def begin(self, now: float) -> bool:
        """It is looked at now; whether a request is to be sent. ``missed`` counts the rounds that
        should have been begun before and were not."""
        self.regular = regular = self.due_at <= now
        self.missed = 0
        if regular:
            self._advance(now)
        self.next_at = self.due_at
        if not self.asks:
            return False
        if self.asked_at and abs(now - self.asked_at) < LOST_AFTER:
            self.missed += regular
            return False
        self.asked_at = now
        return True

    @property
    def extra_at(self) -> float | None:
        """When an extra look is wanted; ``None`` when the next round will do."""
        return None if self.next_at == self.due_at else self.next_at

    def is_steady(self, kind: str, status: int | None) -> bool:
        """Whether an answer says what the last one said, and nothing speaks against it."""
        return kind == self.steady_kind and status == self.steady_status

    def see(self, observation: Observation, *, own: bool) -> list[tuple[RuleStanding, Step]]:
        """What an observation changes, by rule; ``own`` tells a probe's from that of a call."""
        changes: list[tuple[RuleStanding, Step]] = []
        again: float | None = None
        for standing in self.standings:
            step = observe(standing.health, observation, standing.rule)
            if step.again_in is not None:
                again = step.again_in if again is None else min(again, step.again_in)
            if step.health is not standing.health:
                standing.health = step.health
                changes.append((standing, step))
        wanted = None if again is None else observation.at + again
        if own:
            self.next_at = self.due_at if wanted is None else wanted
        elif wanted is not None:
            self.next_at = min(self.next_at, wanted)
        hold = self._held_until()
        if hold:
            self.next_at = hold
        self._look_over()
        self._remember(observation, own=own)
        return changes

    def expire(self, now: float) -> list[tuple[RuleStanding, Step]]:
        """What time alone changed, by rule."""
        changes = []
        for standing in self.standings:
            step = expire(standing.health, now, standing.rule)
            if step is not None:
                standing.health = step.health
                changes.append((standing, step))
        self._look_over()
        self.steady_kind = ""
        return changes

    def outcome_of(self, observation: Observation) -> OutcomeClass:
        """How a probe's end counts: what announced a window, or fell into one, is part of it."""
        if self._held_until() > observation.at:
            return OutcomeClass.MAINTENANCE
        return class_of(observation.kind, observation.status)

    def take_over(
        self, job: ProbeJob, rules: Sequence[LoadedRule], now: float, *, all_written: bool
    ) -> bool:
        """Let these be its job and its rules; whether it is to be looked at anew.

        A rule that is there already stands as it stood, unless its row was forgotten and made anew
        meanwhile; ``all_written`` says that nothing of the target waited to be written when the
        rules were read.
        """
        if job != self.job:
            self.job = job
        present = {standing.key: standing for standing in self.standings}
        standings = []
        for each in rules:
            standing = present.get(each.rule.key)
            if standing is None or _is_made_anew(standing.health, each.health, all_written):
                standing = RuleStanding(each.rule, each.health)
            standings.append(standing)
        if standings == self.standings:
            return False
        self.standings = standings
        self.steady_kind = ""
        self._look_over()
        if not self._is_unseen() or self._held_until() > now:
            return False
        self.next_at = now
        return True

    def _advance(self, now: float) -> None:
        held = bool(self.timed and self._held_until())
        while True:
            self.round += 1
            at = due_of_seed(self.seed, self.round, self.interval)
            if at > now:
                break
            if held:
                self.samples.append(packed(at, OutcomeClass.MAINTENANCE, None, regular=True))
            else:
                self.missed += 1
        self.due_at = at

    def _held_until(self) -> float:
        """When the longest window ends that the peer asked for; 0 without one."""
        return max(standing.health.maintenance_until or 0.0 for standing in self.standings)

    def _is_settled(self) -> bool:
        return all(standing.health.settled for standing in self.standings)

    def _is_unseen(self) -> bool:
        return any(standing.health.last_at is None for standing in self.standings)

    def _look_over(self) -> None:
        by_calls = [standing.rule.source is HealthSource.CALLS for standing in self.standings]
        self.asks = not all(by_calls)
        self.timed = any(by_calls) or bool(self._held_until())

    def _remember(self, observation: Observation, *, own: bool) -> None:
        """What the next answer must be to say nothing new."""
        self.steady_kind = ""
        if own and observation.kind is not Observed.IDLE_CLOSED and self._is_settled():
            self.steady_kind = observation.kind.value
            self.steady_status = observation.status
            self.steady_outcome = class_of(observation.kind, observation.status)


def _is_made_anew(ours: TargetHealth, stored: TargetHealth, all_written: bool) -> bool:
    """Whether a row tells of a target that nobody looked at, though this process did."""
    if stored.state is not HealthState.UNCHECKED or stored.last_at is not None:
        return False
    if ours.last_at is None:
        return False
    return all_written or stored.seq >= ours.seq
