"""What holds for every order, whatever its carriers, its customer and the clock do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.porting.effects import EntryKind, NoticeKind, Step, TellCarrier
from domain.porting.events import (
    ActivateAsked,
    Answered,
    Attached,
    CancelAsked,
    CarrierAway,
    CommandRefused,
    DropAsked,
    Fact,
    FactKind,
    PortEvent,
    RescheduleAsked,
    ResubmitAsked,
    Seen,
    Started,
    TimePassed,
    Validated,
)
from domain.porting.lifecycle import advance
from domain.porting.lifecycle_table import LEGAL
from domain.porting.order import OrderField
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, NumberSighting, SeenRejection, Sighting
from domain.porting.state import CommandKind, NumberState, PortState, Warned, next_deadline
from domain.porting.words import NUMBER_TERMINAL, NumberStatus, SubStatus
from tests.domain.porting.lives import MONDAY, seen, timing

COUNT = 3
POSITIONS = st.integers(0, COUNT - 1)
SOME = st.lists(POSITIONS, max_size=COUNT, unique=True).map(tuple)
REJECTIONS = st.lists(
    st.builds(SeenRejection, code=st.sampled_from(RejectionCode), positions=SOME), max_size=2
).map(tuple)
FIELDS = st.lists(st.sampled_from([*OrderField, "nonsense"]), max_size=3).map(tuple)
STATUSES = st.none() | st.sampled_from(NumberStatus)


class Lives(RuleBasedStateMachine):
    """An order to which anything happens."""

    def __init__(self) -> None:
        super().__init__()
        self.state = PortState(order_id="port_1", org_id="org_1")
        self.now = MONDAY
        self.seq = self.sequence = 0
        self.keys: set[str] = set()
        self.told: set[str] = set()
        self.submitted: set[int] = set()

    @initialize(
        on_demand=st.booleans(),
        scale=st.sampled_from((1.0, 10_000.0)),
        stage=st.sampled_from((0, 1, 2, 3, 4, 4, 4)),
    )
    def begin(self, on_demand: bool, scale: float, stage: int) -> None:
        numbers = tuple(NumberState(position=position) for position in range(COUNT))
        self.state = self.state.model_copy(
            update={"numbers": numbers, "on_demand": on_demand, "scale": scale}
        )
        self.timing = timing(scale=scale)
        self.happens(Started())
        if stage > 0:
            self.validated("ready")
        if stage > 1:
            self.fact(FactKind.LOA_SIGNED, (), False)
        if stage > 2:
            self.carrier_answers((), "taken")
        if stage > 3:
            self.commits(10)

    def happens(self, event: PortEvent) -> None:
        before = self.state
        step = advance(before, event, self.now, self.timing)
        # A history and a row hold it as JSON.
        self.state = PortState.model_validate_json(step.state.model_dump_json())
        assert self.state == step.state
        self.judge(before, step)

    def judge(self, before: PortState, step: Step) -> None:
        after = step.state
        assert [each.position for each in after.numbers] == list(range(COUNT))
        for was, is_ in zip(before.numbers, after.numbers, strict=True):
            if was.status in (NumberStatus.PORTED, NumberStatus.VERIFIED):
                assert is_.is_here, "a number that came is gone"
        moves = [each for each in step.entries if each.kind is EntryKind.STATUS]
        told = [each for each in step.notices if each.kind is NoticeKind.STATUS]
        status: SubStatus | None = None if before.generation == 0 else before.sub_status
        for move in moves:
            assert move.from_status == status
            assert move.to_status is not None
            if status is not None:
                assert move.to_status in LEGAL[status]
            status = move.to_status
        assert status == after.sub_status
        assert [each.status for each in told] == [each.to_status for each in moves]
        keys = [*(each.key for each in step.entries), *(each.key for each in step.notices)]
        assert len(set(keys)) == len(keys)
        assert not self.keys.intersection(keys)
        self.keys.update(keys)
        if step.entries:
            assert after.generation == before.generation + 1
        if before.is_over:
            assert after.sub_status is before.sub_status
        for effect in step.effects:
            if isinstance(effect, TellCarrier):
                assert effect.command in after.commands
                assert effect.command.attempt <= after.attempt
        due = next_deadline(after)
        assert due is None or due.at > self.now
        assert len({each.kind for each in after.deadlines}) == len(after.deadlines)

    @invariant()
    def an_order_that_lives_never_waits_for_nothing(self) -> None:
        state = self.state
        if state.generation == 0 or state.is_over or state.sub_status is SubStatus.VALIDATING:
            return
        assert state.deadlines or state.commands

    @invariant()
    def the_end_follows_from_the_numbers(self) -> None:
        state = self.state
        if not state.is_over:
            return
        assert not state.deadlines
        assert not state.commands
        assert all(each.status in NUMBER_TERMINAL for each in state.numbers)
        came = [each for each in state.numbers if each.is_here]
        good = state.sub_status in (SubStatus.COMPLETED, SubStatus.PARTIALLY_COMPLETED)
        assert bool(came) == good
        if good and state.cancel_requested_at is not None:
            assert Warned.CANCEL_MISSED in state.warnings

    @rule(event=st.sampled_from(("ready", "missing", "partly", "none")))
    def is_validated(self, event: str) -> None:
        self.validated(event)

    def validated(self, event: str) -> None:
        unportable = {"partly": (0,), "none": tuple(range(COUNT))}.get(event, ())
        rejection = SeenRejection(code=RejectionCode.NOT_PORTABLE, positions=unportable)
        self.happens(
            Validated(
                letter=self.state.letter + 1,
                documents_missing=event == "missing",
                unportable=(rejection,) if unportable else (),
            )
        )

    @rule(kind=st.sampled_from(FactKind), positions=SOME, again=st.booleans())
    def is_told(self, kind: FactKind, positions: tuple[int, ...], again: bool) -> None:
        self.fact(kind, positions, again)

    def fact(self, kind: FactKind, positions: tuple[int, ...], again: bool) -> None:
        self.seq += not again
        letter = self.state.letter
        self.happens(Fact(seq=self.seq, kind=kind, positions=positions, letter=letter))

    @rule(
        rejections=REJECTIONS, how=st.sampled_from(("taken", "taken", "taken", "refused", "away"))
    )
    def carrier_is_told(self, rejections: tuple[SeenRejection, ...], how: str) -> None:
        self.carrier_answers(rejections, how)

    def carrier_answers(self, rejections: tuple[SeenRejection, ...], how: str) -> None:
        head = next(iter(self.state.commands), None)
        if head is None:
            return
        told: dict[str, Any] = {"command": head.kind, "attempt": head.attempt}
        if how == "refused":
            self.happens(CommandRefused(**told, rejections=rejections))
        elif how == "away":
            self.happens(CarrierAway(**told))
        else:
            if head.kind is CommandKind.SUBMIT:
                assert head.attempt not in self.submitted, "an order was placed twice"
                self.submitted.add(head.attempt)
                self.sequence = 0
            self.happens(Answered(**told, carrier_order_id=f"sim_{head.attempt}"))

    @rule()
    def carrier_is_not_seen(self) -> None:
        self.happens(CarrierAway())

    @rule(
        status=st.sampled_from(CarrierStatus),
        numbers=st.tuples(*[STATUSES] * COUNT),
        rejections=REJECTIONS,
        days=st.none() | st.integers(-2, 20),
        step=st.integers(-1, 2),
        attempt=st.none() | st.integers(0, 4),
        strangers=st.integers(0, 1),
    )
    def anything_is_seen(
        self,
        status: CarrierStatus,
        numbers: tuple[NumberStatus | None, ...],
        rejections: tuple[SeenRejection, ...],
        days: int | None,
        step: int,
        attempt: int | None,
        strangers: int,
    ) -> None:
        self.sequence += step
        self.happens(
            Seen(
                sighting=Sighting(
                    status=status,
                    numbers=tuple(
                        NumberSighting(position=position, status=each)
                        for position, each in enumerate(numbers)
                    ),
                    foc_at=None if days is None else self.now + timedelta(days=days),
                    rejections=rejections,
                    sequence=self.sequence,
                    attempt=attempt,
                    strangers=strangers,
                    at=self.now,
                )
            )
        )

    @rule(days=st.integers(5, 20))
    def carrier_commits(self, days: int) -> None:
        self.commits(days)

    @rule()
    def everything_is_ported(self) -> None:
        self.pictured(CarrierStatus.COMPLETED, NumberStatus.PORTED)

    @rule()
    def everything_is_rejected(self) -> None:
        rejection = SeenRejection(code=RejectionCode.PIN_INVALID)
        self.pictured(CarrierStatus.ACTION_REQUIRED, None, rejections=(rejection,))

    def commits(self, days: int) -> None:
        foc_at = self.now + timedelta(days=days)
        self.pictured(CarrierStatus.FOC_CONFIRMED, NumberStatus.ACCEPTED, foc_at=foc_at)

    def pictured(self, status: CarrierStatus, each: NumberStatus | None, **facts: Any) -> None:
        self.sequence += 1
        self.happens(seen(status, *[each] * COUNT, sequence=self.sequence, at=self.now, **facts))

    @rule(positions=SOME, failed=SOME)
    def attached(self, positions: tuple[int, ...], failed: tuple[int, ...]) -> None:
        self.happens(Attached(positions=positions, failed=failed))

    @rule(hours=st.sampled_from((0, 1, 8, 30, 200, 800)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours) / self.timing.scale
        self.happens(TimePassed())

    @rule()
    def the_next_deadline_comes(self) -> None:
        due = next_deadline(self.state)
        if due is not None:
            self.now = due.at
            self.happens(TimePassed())

    @rule()
    def cancel(self) -> None:
        self.happens(CancelAsked())

    @rule(newer=st.integers(0, 1))
    def reschedule(self, newer: int) -> None:
        day = date(2026, 12, 1)
        self.happens(RescheduleAsked(revision=self.state.details + newer, requested=day))

    @rule(newer=st.integers(0, 1), changed=FIELDS)
    def resubmit(self, newer: int, changed: tuple[str, ...]) -> None:
        self.happens(ResubmitAsked(revision=self.state.details + newer, changed=changed))

    @rule()
    def activate(self) -> None:
        self.happens(ActivateAsked())

    @rule(position=POSITIONS)
    def drop(self, position: int) -> None:
        self.happens(DropAsked(position=position))

    @rule()
    def the_process_begins_anew(self) -> None:
        self.happens(Started())


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyLife = Lives.TestCase
