"""The life of one call: find its targets, call them in order, talk, end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sip.call_addresses import AddressNotes
from sip.call_facts import CallFacts, StopCause, TargetFacts, TargetOutcome
from sip.call_plan import CallPlan
from sip.net.call_attempt import CallAttempt, CallParts
from sip.net.call_observer import CallObserver
from sip.net.call_opening import CallOpening
from sip.net.call_order import TargetOrder
from sip.net.call_pump import CallPump
from sip.net.call_targets import CallTarget, Reached, TargetFailed, TargetReacher, outcome_of
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.timers import Timers

__all__ = ["CallLife"]

CLOSING_SECONDS: Final = 8.0
"""Kept before the limit of a call, and given to a call whose process ends, for its last answers."""

_Found = TypeVar("_Found")


class _Stopped(Exception):
    """The call was ended before there was an INVITE."""


class CallLife:
    """One call. `run` it once."""

    def __init__(
        self,
        plan: CallPlan,
        *,
        guard: AddressGuard,
        resolver: Resolver,
        media_process: MediaProcess,
        media_ports: range,
        new_token: Callable[[], str],
        observer: CallObserver,
        timers: Timers,
        hang_up: asyncio.Event,
        stop: asyncio.Event,
    ) -> None:
        self._plan, self._observer = plan, observer
        self._hang_up, self._stop = hang_up, stop
        self._interrupted = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._end = now + plan.limit_seconds
        self._close_at = max(self._end - CLOSING_SECONDS, now + plan.limit_seconds / 2)
        self._pump = CallPump(guard=guard, observer=observer, new_token=new_token, timers=timers)
        self._parts = CallParts(
            plan=plan,
            pump=self._pump,
            reacher=TargetReacher(self._pump.transport, guard, plan),
            guard=guard,
            resolver=resolver,
            media_process=media_process,
            media_ports=media_ports,
            new_token=new_token,
            observer=observer,
            addresses=AddressNotes(guard.objection),
            timers=timers,
        )
        self._opening = CallOpening(self._parts, self._unless_stopped)
        self._targets: dict[CallTarget, TargetFacts] = {}
        self._attempt: CallAttempt | None = None
        self._stopped: StopCause | None = None

    def interrupt(self) -> None:
        """End the call because its process ends."""
        self._interrupted.set()

    async def run(self) -> CallFacts:
        """Live the call. Raises as `place_call` does."""
        events = (self._hang_up, self._stop, self._interrupted)
        watchers = [self._loop.create_task(self._wake_at(event)) for event in events]
        finished = False
        try:
            try:
                await self._call_targets()
            except _Stopped:
                self._stopped = self._stopped or self._wish()
            finished = True
            return await self._facts()
        finally:
            for watcher in watchers:
                watcher.cancel()
            if self._attempt is not None:
                if not finished:
                    self._attempt.hang_up()
                    self._pump.send_unsaved()
                self._attempt.close()
            await self._pump.close()

    async def _call_targets(self) -> None:
        targets = await self._opening.targets()
        async with TargetOrder(self._parts, targets, self._note_target) as order:
            while (target := await self._unless_stopped(order.next())) is not None:
                try:
                    attempt, reached = await self._opening.attempt(target, self._attempt)
                except TargetFailed as failed:
                    self._note_target(target, failed.facts(self._plan.host, target))
                    continue
                self._attempt = attempt
                self._note_target(target, reached.facts(TargetOutcome.CALLED))
                await self._live(attempt)
                failure = _failure_of(attempt, reached, more=order.has_more)
                if failure is None:
                    return
                self._note_target(target, failure)
                if not order.has_more or self._wish() is not None:
                    return

    async def _live(self, attempt: CallAttempt) -> None:
        """Call until the call is over, or the limit is reached."""
        attempt.start()
        while True:
            await self._pump.turn()
            await attempt.settle()
            now = self._loop.time()
            await self._decide(attempt, now)
            if attempt.is_done(now) or now >= self._end:
                return
            if attempt.over_at is not None and attempt.was_unavailable:
                return
            await self._pump.wait(self._next_decision(attempt))

    async def _decide(self, attempt: CallAttempt, now: float) -> None:
        """Hang up, once, when there is a reason to."""
        if self._stopped is not None or attempt.over_at is not None:
            return
        cause = self._wish()
        if cause is None and attempt.answered_at is not None:
            if attempt.media_is_fatal:
                cause = StopCause.MEDIA_REFUSED
            elif now >= attempt.answered_at + self._plan.talk_seconds:
                cause = StopCause.FINISHED
        if cause is not None:
            self._stopped = cause
            if cause is StopCause.INTERRUPTED:
                self._end = min(self._end, now + CLOSING_SECONDS)
            await attempt.reconnect()
            attempt.hang_up()
            self._pump.wake()

    def _next_decision(self, attempt: CallAttempt) -> float:
        if attempt.over_at is not None:
            return min(attempt.linger_until, self._end)
        if self._stopped is not None:
            return self._end
        if attempt.answered_at is not None:
            return min(attempt.answered_at + self._plan.talk_seconds, self._close_at)
        return self._close_at

    def _wish(self) -> StopCause | None:
        """Why the call is to end whatever its state, None when it may go on."""
        if self._hang_up.is_set():
            return StopCause.HANG_UP
        if self._stop.is_set() or self._interrupted.is_set():
            return StopCause.INTERRUPTED
        return StopCause.LIMIT if self._loop.time() >= self._close_at else None

    def _note_target(self, target: CallTarget, facts: TargetFacts) -> None:
        self._targets[target] = facts
        self._observer.event(facts)

    async def _unless_stopped(self, work: Awaitable[_Found], /) -> _Found:
        """The outcome of something that is given up when the call is to end. Raises `_Stopped`."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._pump.wake())
        try:
            while not task.done():
                if self._wish() is not None:
                    raise _Stopped
                await self._pump.turn()
                if not task.done():
                    await self._pump.wait(self._close_at)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _wake_at(self, event: asyncio.Event) -> None:
        await event.wait()
        self._pump.wake()

    async def _facts(self) -> CallFacts:
        attempt = self._attempt
        media = await attempt.media_verdict() if attempt else None
        return CallFacts(
            dns=self._opening.dns,
            targets=tuple(self._targets.values()),
            invite=attempt.record.facts if attempt else None,
            media=media,
            addresses=self._parts.addresses.findings,
            stopped=self._stopped,
            ring_limit_ms=1000 * self._plan.ring_seconds,
            left_up=attempt is not None and attempt.may_be_up,
            notes=tuple(self._pump.notes),
        )


def _failure_of(attempt: CallAttempt, reached: Reached, *, more: bool) -> TargetFacts | None:
    """What kept the target from being called, so that the next one may be; None else."""
    if attempt.was_unavailable:
        return reached.facts(TargetOutcome.UNAVAILABLE) if more else None
    number = attempt.unreached_errno
    if number is not None:
        return reached.facts(outcome_of(number), "ICMP answered the INVITE")
    alert = attempt.handshake_alert
    if alert is not None:
        wanted = "CERTIFICATE" in alert.upper()
        outcome = TargetOutcome.TLS_CLIENT_CERTIFICATE if wanted else TargetOutcome.TLS_FAILED
        return reached.facts(outcome, alert.lower().replace("_", " "))
    lost = attempt.lost_before
    if lost is not None:
        outcome = TargetOutcome.RESET if lost == "reset" else TargetOutcome.CLOSED
        return reached.facts(outcome, "the connection was gone before the INVITE")
    return None
