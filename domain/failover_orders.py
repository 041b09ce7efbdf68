"""Orders of an operator, checked and put in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.failover_commands import (
    MAX_WINDOWS,
    AbortDrill,
    CloseMaintenance,
    CommandRefused,
    Commands,
    Drill,
    DrillEnd,
    FailBack,
    FailOver,
    Forced,
    OpenMaintenance,
    Order,
    Pin,
    Pinned,
    Refusal,
    StartDrill,
    Unpin,
    Window,
)
from domain.failover_state import EndpointMemory, FailoverState

__all__ = ["ordered"]


def ordered(order: Order, commands: Commands, state: FailoverState, now: datetime) -> Commands:
    """The commands with this order among them; the next decision acts on it.

    Raises ``CommandRefused``. ``state`` is that of the last decision.
    """
    match order:
        case FailOver():
            return _forced(order, commands, state)
        case FailBack():
            return _failed_back(order, commands, state)
        case Pin():
            return _pinned(order, commands, state, now)
        case Unpin():
            if commands.pinned is None:
                raise CommandRefused(Refusal.NOT_PINNED, "no endpoint is pinned")
            return commands.model_copy(update={"pinned": None})
        case OpenMaintenance():
            return _opened(order, commands, state, now)
        case CloseMaintenance():
            return _closed(order, commands)
        case StartDrill():
            return _drilled(order, commands, state, now)
        case AbortDrill():
            return _aborted(commands, now)


def _forced(order: FailOver, commands: Commands, state: FailoverState) -> Commands:
    if commands.pinned is not None:
        raise CommandRefused(Refusal.PINNED, "an endpoint is pinned; take the pin away first")
    if order.to is None:
        others = [each for each in state.endpoints if each.name_id != state.active]
        if not others:
            raise CommandRefused(Refusal.NOTHING_TO_FAIL_OVER_TO, "the trunk has no other endpoint")
        wanted = next((each for each in others if each.usable), others[0])
    else:
        wanted = _at(state.endpoints, order.to)
    if wanted.name_id == state.active and commands.forced is None and state.canary is None:
        raise CommandRefused(Refusal.ALREADY_THERE, f"calls go to {wanted.label} already")
    if not wanted.usable and not order.even_if_down:
        raise CommandRefused(
            Refusal.ENDPOINT_DOWN, f"{wanted.label} is down; say even_if_down to go there anyway"
        )
    forced = Forced(name_id=wanted.name_id, even_if_down=order.even_if_down)
    return commands.model_copy(update={"forced": forced, "fail_back": None})


def _failed_back(order: FailBack, commands: Commands, state: FailoverState) -> Commands:
    if commands.pinned is not None:
        raise CommandRefused(Refusal.PINNED, "an endpoint is pinned; take the pin away first")
    position = state.position or 0
    before = [each for each in state.endpoints if each.position < position]
    if not before and commands.forced is None and not state.by_hand:
        raise CommandRefused(Refusal.ALREADY_THERE, "calls go to the primary already")
    if before and not any(each.usable for each in before):
        raise CommandRefused(Refusal.NOTHING_TO_FAIL_BACK_TO, f"{before[0].label} is still down")
    return commands.model_copy(update={"forced": None, "fail_back": order})


def _pinned(order: Pin, commands: Commands, state: FailoverState, now: datetime) -> Commands:
    if order.until is not None and order.until <= now:
        raise CommandRefused(Refusal.IN_THE_PAST, "the pin would have ended already")
    wanted = _at(state.endpoints, order.to)
    pinned = Pinned(name_id=wanted.name_id, until=order.until)
    return commands.model_copy(update={"pinned": pinned, "forced": None})


def _opened(
    order: OpenMaintenance, commands: Commands, state: FailoverState, now: datetime
) -> Commands:
    name_id = None if order.position is None else _at(state.endpoints, order.position).name_id
    starts_at = order.starts_at or now
    if order.ends_at <= max(now, starts_at):
        raise CommandRefused(Refusal.IN_THE_PAST, "the window would have ended already")
    if len(commands.windows) >= MAX_WINDOWS:
        raise CommandRefused(Refusal.TOO_MANY_WINDOWS, f"{MAX_WINDOWS} windows are planned already")
    window = Window(
        window_id=order.window_id, name_id=name_id, starts_at=starts_at, ends_at=order.ends_at
    )
    return commands.model_copy(update={"windows": (*commands.windows, window)})


def _closed(order: CloseMaintenance, commands: Commands) -> Commands:
    kept = tuple(each for each in commands.windows if order.window_id not in (None, each.window_id))
    if len(kept) == len(commands.windows):
        raise CommandRefused(Refusal.NO_SUCH_WINDOW, "no such maintenance window")
    return commands.model_copy(update={"windows": kept})


def _drilled(
    order: StartDrill, commands: Commands, state: FailoverState, now: datetime
) -> Commands:
    if commands.drill is not None:
        raise CommandRefused(Refusal.DRILL_RUNNING, "a drill is running")
    if len(state.endpoints) < 2:
        raise CommandRefused(
            Refusal.NOTHING_TO_FAIL_OVER_TO,
            "the trunk has no other endpoint, so none can take over",
        )
    if state.active is None or state.position != 0:
        raise CommandRefused(
            Refusal.NOT_AT_THE_PRIMARY, "calls go to another endpoint than the primary now"
        )
    drill = Drill(
        drill_id=order.drill_id,
        binding_id=order.binding_id,
        name_id=state.active,
        revision=state.revision,
        started_at=now,
        until=now + timedelta(seconds=order.seconds),
    )
    return commands.model_copy(update={"drill": drill})


def _aborted(commands: Commands, now: datetime) -> Commands:
    drill = commands.drill
    if drill is None or drill.end is not None:
        raise CommandRefused(Refusal.NO_DRILL, "no drill is running")
    ended = drill.model_copy(update={"end": DrillEnd.ABORTED, "ended_at": now})
    return commands.model_copy(update={"drill": ended})


def _at(endpoints: Sequence[EndpointMemory], position: int) -> EndpointMemory:
    for each in endpoints:
        if each.position == position:
            return each
    raise CommandRefused(Refusal.NO_SUCH_ENDPOINT, f"the trunk has no endpoint {position}")
