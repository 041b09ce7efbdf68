"""What becomes of an order at the simulated carrier: a pure function of what it was told and when.

Each command lets what was to come be forgotten and plans it anew; what has happened stays. So the
course can be worked out at any time, by any process, from the commands alone, and whoever dies in
between loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from carriers.simulator_pictures import changed, moved, rejection_of, told
from carriers.simulator_state import Flaw, Heard, Scenario, SimulatedOrder, scenario_of
from carriers.simulator_time import Clock
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierSnapshot, CarrierStatus, NumberSnapshot
from domain.porting.state import CommandKind
from domain.porting.words import NumberStatus, PortKind

__all__ = ["CLOSED", "MAX_DATE_CHANGES", "course", "date_changes", "snapshot"]

CLOSED: Final = frozenset(
    {
        CarrierStatus.COMPLETED,
        CarrierStatus.CANCELED,
        CarrierStatus.EXPIRED,
        CarrierStatus.FAILED,
    }
)
"""Nothing follows any more."""

MAX_DATE_CHANGES: Final = 3
"""After the commitment; the next one is refused, or ends the order."""

FORWARDING: Final = timedelta(minutes=10)
CANCELING: Final = timedelta(hours=4)
ACTIVATING: Final = timedelta(minutes=30)
WINDOW: Final = timedelta(hours=14)
"""An order that waits to be activated is activated at the end of its day, as carriers do."""
PATIENCE: Final = timedelta(days=30)
"""A rejected order that nobody mends is closed."""
ANSWER_DAYS: Final = 1
TOLL_FREE_DAYS: Final = 2
SILENT_DAYS: Final = 6
MOVED_DAYS: Final = 3

_C = CarrierStatus
_N = NumberStatus

_Change = Callable[[NumberSnapshot], NumberSnapshot]


def snapshot(order: SimulatedOrder, now: datetime) -> CarrierSnapshot | None:
    """How the order stands at ``now``; ``None`` before it was placed."""
    reached = [each for each in course(order) if each.at <= now]
    # A clock that is a little behind the one that heard the order asks too early, not for nothing.
    return reached[-1] if reached else next(iter(course(order)), None)


@lru_cache(maxsize=64)
def course(order: SimulatedOrder) -> tuple[CarrierSnapshot, ...]:
    """Every picture of the order from its first on, the coming ones as they are planned now."""
    past: list[CarrierSnapshot] = []
    ahead: list[CarrierSnapshot] = []
    for position, command in enumerate(order.heard):
        past += [each for each in ahead if each.at <= command.at]
        rest = [each for each in ahead if each.at > command.at]
        ahead = _Planner(order, position, past, rest).planned()
    return (*past, *ahead)


def date_changes(order: SimulatedOrder) -> int:
    """How often another date was asked for since the first commitment."""
    return _date_changes(course(order), order.heard)


class _Planner:
    """Plans what follows a command: pictures, each made of the one before."""

    def __init__(
        self,
        order: SimulatedOrder,
        position: int,
        past: list[CarrierSnapshot],
        rest: list[CarrierSnapshot],
    ) -> None:
        self._order = order
        self._command = order.heard[position]
        self._earlier = order.heard[:position]
        self._past = past
        self._rest = rest
        self._clock = Clock(self._command.at, order.scale)
        self._scenario = scenario_of(order)
        self._ahead: list[CarrierSnapshot] = []

    def planned(self) -> list[CarrierSnapshot]:
        """What follows."""
        match self._command.kind:
            case CommandKind.SUBMIT | CommandKind.SUPPLEMENT:
                self._request()
            case CommandKind.RESCHEDULE:
                self._reschedule()
            case CommandKind.CANCEL:
                self._cancel()
            case CommandKind.ACTIVATE:
                self._activate()
        return self._ahead

    @property
    def _last(self) -> CarrierSnapshot:
        return (self._ahead or self._past)[-1]

    def _add(
        self, at: datetime, status: CarrierStatus, change: _Change | None = None, **fields: Any
    ) -> None:
        last = self._last
        numbers = last.numbers if change is None else tuple(map(change, last.numbers))
        changes = {
            "at": max(at, last.at),
            "status": status,
            "raw": status.value.upper(),
            "sequence": last.sequence + 1,
            "numbers": numbers,
            "rejections": (),
        }
        self._ahead.append(last.model_copy(update=changes | fields))

    def _request(self) -> None:
        command = self._command
        before = self._past[-1] if self._past else None
        committed = before.foc_at if before and before.status is _C.FOC_CONFIRMED else None
        known = before.numbers if before else ()
        numbers = told(known, command.numbers, anew=committed is None)
        if committed is not None:
            # Fewer numbers, the same date: what else there is was refused.
            self._add(command.at, _C.FOC_CONFIRMED, numbers=numbers, attempt=command.attempt)
            self._switch(committed)
            return
        first = CarrierSnapshot(
            carrier_order_id=self._order.carrier_order_id,
            status=_C.RECEIVED,
            numbers=numbers,
            foc_at=before.foc_at if before else None,
            sequence=before.sequence + 1 if before else 0,
            attempt=command.attempt,
            raw="RECEIVED",
            at=command.at,
        )
        self._ahead.append(first)
        self._add(self._clock.after(FORWARDING), _C.SUBMITTED)
        self._answer(command)

    def _answer(self, request: Heard) -> None:
        """The losing carrier's answer to the newest request, heard with this planner's command."""
        days = ANSWER_DAYS if self._order.kind is PortKind.LOCAL else TOLL_FREE_DAYS
        if self._scenario is Scenario.SILENT and not self._earlier:
            days = SILENT_DAYS
        at = self._clock.after_business_days(days)
        flaws = self._flaws(request)
        if flaws:
            self._reject(at, flaws)
            return
        refused = self._refused_for_good(request)
        code = RejectionCode.NUMBER_NOT_ON_ACCOUNT
        was_committed = self._last.foc_at is not None
        foc_at = self._clock.committed(self._command.requested_date, answer_days=days)
        self._add(
            at,
            _C.FOC_CONFIRMED,
            lambda each: (
                changed(each, _N.REJECTED, code)
                if each.number in refused
                else moved(each, _N.ACCEPTED)
            ),
            foc_at=foc_at,
            rejections=tuple(rejection_of(Flaw(code=code, numbers=(each,))) for each in refused),
        )
        if self._scenario is Scenario.FOC_MOVED and not was_committed:
            foc_at = self._move_date(foc_at)
        self._switch(foc_at)

    def _refused_for_good(self, request: Heard) -> frozenset[str]:
        first = self._requests[0].numbers
        if self._scenario is not Scenario.NUMBER_REJECTED or len(first) < 2:
            return frozenset()
        return frozenset(first[-1:]).intersection(request.numbers)

    @property
    def _requests(self) -> list[Heard]:
        return [each for each in (*self._earlier, self._command) if each.is_request]

    def _flaws(self, request: Heard) -> tuple[Flaw, ...]:
        first = self._requests[0]
        if request.flaws:
            return request.flaws
        if self._scenario is Scenario.PIN_INVALID and request.key == first.key:
            return (Flaw(code=RejectionCode.PIN_INVALID),)
        if self._scenario is Scenario.NAME_MISMATCH and request.letter == first.letter:
            return (Flaw(code=RejectionCode.NAME_MISMATCH),)
        return ()

    def _reject(self, at: datetime, flaws: Iterable[Flaw]) -> None:
        rejections = tuple(map(rejection_of, flaws))
        codes = {number: each.code for each in rejections for number in each.numbers}
        whole = next((each.code for each in rejections if not each.numbers), None)
        self._add(
            at,
            _C.ACTION_REQUIRED,
            lambda each: (
                moved(each, _N.REJECTED, codes.get(each.number, whole))
                if whole is not None or each.number in codes
                else each
            ),
            rejections=rejections,
        )
        closes_at = self._last.at + PATIENCE / self._order.scale
        self._add(closes_at, _C.EXPIRED, lambda each: moved(each, _N.CANCELED))

    def _move_date(self, foc_at: datetime) -> datetime:
        committed = self._last
        later = self._clock.moved(foc_at, MOVED_DAYS)
        half_way = committed.at + (foc_at - committed.at) / 2
        self._add(half_way, _C.FOC_CONFIRMED, foc_at=later, rejections=committed.rejections)
        return later

    def _switch(self, foc_at: datetime) -> None:
        """The numbers change hands on the committed date."""
        waits = WINDOW / self._order.scale if self._order.on_demand else timedelta()
        self._begin_switch(foc_at + waits)

    def _begin_switch(self, at: datetime) -> None:
        self._add(at, _C.ACTIVATING, lambda each: moved(each, _N.ACTIVATING))
        done_at = self._last.at + ACTIVATING / self._order.scale
        disputed = any(
            each.code is RejectionCode.NPAC_CONFLICT
            for picture in self._past
            for each in picture.rejections
        )
        if self._scenario is Scenario.ACTIVATION_CONFLICT and not disputed:
            self._reject(done_at, [Flaw(code=RejectionCode.NPAC_CONFLICT)])
        else:
            self._add(done_at, _C.COMPLETED, lambda each: moved(each, _N.PORTED))

    def _reschedule(self) -> None:
        last, at = self._last, self._command.at
        request = self._requests[-1]
        if _date_changes(self._past, (*self._earlier, self._command)) > MAX_DATE_CHANGES:
            canceled_at = self._clock.after(FORWARDING)
            self._add(canceled_at, _C.CANCELED, lambda each: moved(each, _N.CANCELED))
            return
        keeps = last.foc_at is not None and last.status is not _C.ACTION_REQUIRED
        self._add(
            at,
            _C.SUBMITTED,
            None if keeps else lambda each: moved(each, _N.SUBMITTED),
        )
        self._answer(request)

    def _cancel(self) -> None:
        at, last = self._command.at, self._last
        too_late = self._scenario is Scenario.LATE_CANCEL and last.foc_at is not None
        self._add(at, _C.CANCEL_PENDING)
        if too_late:
            for each in self._rest:
                self._ahead.append(each.model_copy(update={"sequence": self._last.sequence + 1}))
            return
        self._add(self._clock.after(CANCELING), _C.CANCELED, lambda each: moved(each, _N.CANCELED))

    def _activate(self) -> None:
        if self._last.status is _C.FOC_CONFIRMED:
            self._begin_switch(self._command.at)
        else:
            self._ahead += self._rest


def _date_changes(pictures: Iterable[CarrierSnapshot], heard: Iterable[Heard]) -> int:
    first = next((each.at for each in pictures if each.foc_at is not None), None)
    return sum(
        each.kind is CommandKind.RESCHEDULE and first is not None and each.at >= first
        for each in heard
    )
