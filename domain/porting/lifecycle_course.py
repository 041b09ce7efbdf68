"""One step in the making: what the parts of the life cycle change, note, tell and ask for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from domain.porting.effects import (
    Actor,
    AttachNumbers,
    Audience,
    Effect,
    EntryKind,
    Look,
    Notice,
    NoticeKind,
    Step,
    TellCarrier,
    TimelineEntry,
)
from domain.porting.lifecycle_table import LEGAL
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import RejectionCode
from domain.porting.state import Command, CommandKind, Deadline, DeadlineKind, PortState, Warned
from domain.porting.timing import Timing
from domain.porting.words import TERMINAL, NumberStatus, SubStatus

__all__ = ["Course"]

_K = DeadlineKind

_OF_A_STATUS: Final = frozenset(_K) - {_K.POLL, _K.RETRY, _K.CANCEL_WATCH}
"""Deadlines that end with the sub-status that they were set in."""

_UNSHOWN: Final = frozenset({"generation", "deadlines", "facts", "sequence", "unseen"})
"""What changes without anybody needing to see it."""


class Course:
    """The order as it becomes, and what is noted, told and asked for meanwhile."""

    def __init__(self, state: PortState, now: datetime, timing: Timing) -> None:
        self.state = state
        self.now = now
        self.timing = timing
        self.refusal: OrderRefusal | None = None
        self._before = state
        self._effects: list[Effect] = []
        self._entries: list[dict[str, Any]] = []
        self._notices: list[dict[str, Any]] = []

    def keep(self, **changes: Any) -> None:
        """Change what is remembered."""
        self.state = self.state.model_copy(update=changes)

    def move(
        self,
        to: SubStatus,
        *,
        actor: Actor = Actor.SYSTEM,
        codes: Collection[RejectionCode] = (),
        until: datetime | None = None,
    ) -> None:
        """Go to another sub-status; its deadlines begin, those of the one before end."""
        origin = self.state.sub_status
        if to not in LEGAL[origin]:
            raise ValueError(f"{origin} is never followed by {to}")
        ends = frozenset(_K) if to in TERMINAL else _OF_A_STATUS
        self.disarm(*ends)
        self.keep(sub_status=to, since=self.now)
        self.note(
            EntryKind.STATUS,
            actor=actor,
            codes=codes,
            until=until,
            from_status=origin,
            to_status=to,
        )
        self.tell(NoticeKind.STATUS)
        if to in TERMINAL:
            self.keep(commands=(), completed_at=self.now)

    def note(self, kind: EntryKind, *, codes: Collection[RejectionCode] = (), **entry: Any) -> None:
        """Add a line to the timeline."""
        self._entries.append({"kind": kind, "at": self.now, "codes": tuple(codes), **entry})

    def tell(
        self, kind: NoticeKind, audience: Audience = Audience.CUSTOMER, *, count: int = 0
    ) -> None:
        """Tell somebody of the line that was added last."""
        entry = self._entries[-1]["kind"]
        status = self.state.sub_status
        self._notices.append(
            {"kind": kind, "audience": audience, "entry": entry, "status": status, "count": count}
        )

    def call_operator(self, kind: EntryKind, *, count: int = 0, **entry: Any) -> None:
        """Note something for the porting desk alone, and tell it."""
        self.note(kind, public=False, count=count, **entry)
        self.tell(NoticeKind.NEEDS_OPERATOR, Audience.OPERATOR, count=count)

    def warn(self, warning: Warned) -> bool:
        """Remember a warning; whether it is a new one."""
        if warning in self.state.warnings:
            return False
        self.keep(warnings=(*self.state.warnings, warning))
        return True

    def arm(self, kind: DeadlineKind, at: datetime, *, count: int = 0) -> None:
        """Let this be due then, and not at another time."""
        self.disarm(kind)
        deadline = Deadline(kind=kind, at=at, count=count)
        self.keep(deadlines=(*self.state.deadlines, deadline))

    def disarm(self, *kinds: DeadlineKind) -> None:
        """Let these be due no more."""
        self.keep(deadlines=tuple(each for each in self.state.deadlines if each.kind not in kinds))

    def do(self, effect: Effect) -> None:
        """Ask for something to be done; the same is asked for once."""
        if effect not in self._effects:
            self._effects.append(effect)

    def look(self) -> None:
        """Ask the carrier how the order stands, when it has it."""
        if self.state.at_carrier and not self.state.is_over:
            self.do(Look())

    def command(self, kind: CommandKind) -> None:
        """Tell the carrier something, as soon as what it was told before is answered."""
        attempt = self.state.attempt + 1
        command = Command(kind=kind, attempt=attempt)
        self.keep(attempt=attempt, commands=(*self.state.commands, command))
        if len(self.state.commands) == 1:
            self.do(TellCarrier(command=command))

    def attach(self) -> None:
        """Have numbers that came take calls."""
        here = tuple(
            each.position for each in self.state.numbers if each.is_here and not each.attached
        )
        if here:
            self.do(AttachNumbers(positions=here))

    def give_up(self, status: NumberStatus) -> None:
        """Let every number that did not come end with this status."""
        left = {each.position for each in self.state.open_numbers if not each.is_here}
        self.keep(
            numbers=tuple(
                each.model_copy(update={"status": status}) if each.position in left else each
                for each in self.state.numbers
            )
        )

    def step(self) -> Step:
        """What follows."""
        state = self.state
        shown = PortState.model_fields.keys() - _UNSHOWN
        changed = any(getattr(state, name) != getattr(self._before, name) for name in shown)
        if changed or self._entries:
            state = state.model_copy(update={"generation": state.generation + 1})
        generation = state.generation
        return Step(
            state=state,
            refusal=self.refusal,
            effects=tuple(self._effects),
            entries=tuple(
                TimelineEntry(key=f"{generation}.{index}", **each)
                for index, each in enumerate(self._entries)
            ),
            notices=tuple(
                Notice(key=f"{generation}.{index}.{each['kind']}", **each)
                for index, each in enumerate(self._notices)
            ),
        )
