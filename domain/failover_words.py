"""Why calls go where they go, in sentences. Moments are absolute, so that a sentence stays true."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.failover_holding import CANARY_PATIENCE, FLAPS_TO_MANUAL
from domain.failover_situation import Choice, Situation
from domain.failover_standing import Fitness, Standing, open_windows
from domain.failover_state import CanaryStage, Cause
from domain.trunk_config import Failback

__all__ = ["NO_ENDPOINT", "called", "moment", "span", "why"]

NO_ENDPOINT: Final = "The trunk has no endpoint, so no call goes out by it."

_PLACES: Final = ("primary", "secondary", "tertiary")

_FITNESS_WORDS: Final = {
    Fitness.DOWN: "down",
    Fitness.MAINTENANCE: "in maintenance",
    Fitness.DEGRADED: "degraded",
    Fitness.UNCHECKED: "not checked yet",
    Fitness.UP: "up",
}


def called(standing: Standing) -> str:
    """An endpoint in a sentence: ``sip1.example.com (primary)``."""
    position = standing.position
    place = _PLACES[position] if position < len(_PLACES) else f"endpoint {position + 1}"
    return f"{standing.endpoint.label} ({place})"


def moment(at: datetime) -> str:
    """A time: ``2026-03-09 14:03:05 UTC``."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def span(length: timedelta) -> str:
    """A duration: ``90 s``, ``5 minutes``, ``1 hour``."""
    seconds = round(length.total_seconds())
    if seconds % 60:
        return f"{seconds} s"
    if seconds == 3600:
        return "1 hour"
    return f"{seconds // 60} minutes" if seconds != 60 else "1 minute"


def why(situation: Situation, choice: Choice, since: datetime) -> tuple[str, ...]:
    """The sentences, the one that tells most first."""
    active = choice.active
    said = [_headline(situation, choice, since)]
    if active.fitness is not Fitness.UP and choice.cause is not Cause.NO_HEALTHY_ENDPOINT:
        said.append(f"{called(active)} is {_standing(active)}.")
        said += _kept(situation, choice)
    said += _trial(situation, choice)
    said += _return(situation, choice)
    said += [
        f"{called(each)} is {_standing(each)}."
        for each in situation.standings
        if each not in (active, choice.waits)
        and (each.fitness is Fitness.DOWN or each.position < active.position)
    ]
    said += _windows(situation)
    return tuple(said)


def _headline(situation: Situation, choice: Choice, since: datetime) -> str:
    active = called(choice.active)
    at = moment(since)
    match choice.cause:
        case Cause.PRIMARY if choice.active.position == 0:
            return f"Calls go to {active}, the first choice."
        case Cause.PINNED:
            pinned = situation.commands.pinned
            end = f" until {moment(pinned.until)}" if pinned and pinned.until else ""
            return f"Calls go to {active}: an operator pinned it{end}, whatever becomes of it."
        case Cause.NO_HEALTHY_ENDPOINT:
            reason = choice.active.reason
            return f"No endpoint works, so calls stay on {active}; it is down: {reason}."
        case Cause.FAILED_BACK:
            return f"Calls came back to {active} at {at}: {choice.because}."
        case Cause.DEGRADED:
            return f"Calls go to {active} since {at}: the one before it {choice.because}."
        case Cause.ENDPOINT_GONE | Cause.FORCED | Cause.MAINTENANCE:
            return f"Calls go to {active} since {at}: {choice.because}."
        case _:
            reason = choice.because
            return f"Calls went over to {active} at {at}, since the one before it failed: {reason}."


def _standing(standing: Standing) -> str:
    words = _FITNESS_WORDS[standing.fitness]
    if standing.avoid_until is not None and standing.by_calls:
        return f"left out until {moment(standing.avoid_until)}: {standing.reason}"
    if standing.since is not None and not standing.by_calls:
        words = f"{words} since {moment(standing.since)}"
    return f"{words}: {standing.reason}" if standing.reason else words


def _kept(situation: Situation, choice: Choice) -> list[str]:
    """Why calls stay at an endpoint that is not well."""
    active = choice.active
    if choice.cause is Cause.PINNED or len(situation.standings) == 1:
        return []
    if active.fitness is Fitness.DOWN and not situation.moved_by(active):
        named = " or ".join(sorted(active.triggers))
        return [f"Calls stay there, because {named} is not among the failover triggers."]
    if active.fitness in (Fitness.DOWN, Fitness.DEGRADED, Fitness.MAINTENANCE):
        return ["No other endpoint is better."]
    return []


def _trial(situation: Situation, choice: Choice) -> list[str]:
    trial = choice.trial
    on_trial = situation.named(trial.name_id) if trial is not None else None
    if trial is None or on_trial is None:
        return []
    part = "one call" if trial.stage is CanaryStage.ONE_CALL else "a tenth of the new calls"
    return [
        f"{called(on_trial)} works again and gets {part} since {moment(trial.since)}, "
        f"for {span(CANARY_PATIENCE)} at most; one that fails ends the trial."
    ]


def _return(situation: Situation, choice: Choice) -> list[str]:
    """When calls return to a more preferred endpoint that works again."""
    said = []
    if choice.by_hand:
        said.append(
            f"Endpoints failed {FLAPS_TO_MANUAL} times within hours, so calls return only when an "
            "operator fails back."
        )
    waits = choice.waits
    if waits is None:
        return said
    if choice.ready:
        manual = situation.picture.failover.failback is Failback.MANUAL
        rule = "failback is manual" if manual else "an operator has to decide"
        since = "" if waits.stable_since is None else f" since {moment(waits.stable_since)}"
        said.append(f"{called(waits)} works again{since} and is ready to fail back: {rule}.")
    elif choice.held_until is not None:
        said.append(
            f"{called(waits)} works again; calls return at {moment(choice.held_until)} when it "
            f"stays up until then (hold-down {span(choice.hold)})."
        )
    return said


def _windows(situation: Situation) -> list[str]:
    said = []
    for each in open_windows(situation.commands.windows, situation.now):
        standing = situation.named(each.name_id)
        place = "the trunk" if standing is None else called(standing)
        said.append(f"Maintenance of {place} until {moment(each.ends_at)}.")
    return said
