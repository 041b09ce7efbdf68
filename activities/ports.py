"""A port order's side effects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from temporalio import activity

from activities.contracts import (
    AdvancedPort,
    AttachedNumbers,
    CarrierAnswer,
    DueNotice,
    LookedAt,
    NoticeWork,
    OpenedPort,
    PortContract,
    RecordedStep,
    ToldCarrier,
    ValidatedPort,
    WaitingNotices,
)
from activities.port_attaching import attach
from activities.port_carrying import ask_carrier, tell
from activities.port_desk import PortDesk
from activities.port_letters import validate
from activities.port_recording import opened_state, record_step
from activities.port_sending import PortMessenger, deliver, due
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.effects import Step
from domain.porting.events import Attached, CarrierAway, Seen, Validated
from domain.porting.lifecycle import advance
from domain.porting.state import PortState
from domain.porting.timing import Timing, timing_of

__all__ = ["PortActivities"]


@dataclass(frozen=True, slots=True)
class PortActivities(PortContract):
    """See the contract for what each promises."""

    desk: PortDesk
    messenger: PortMessenger

    @activity.defn(name="port.open")
    async def open(self, opened: OpenedPort) -> PortState | None:
        async with self.desk.database.tenant(opened.org_id) as session:
            return await opened_state(session, self.desk, opened.order_id)

    @activity.defn(name="port.advance")
    async def advance(self, advanced: AdvancedPort) -> Step:
        state = advanced.state
        profile = self.desk.profiles.named(state.profile)
        timing = _timing(profile, advanced.now.year, state.scale)
        return advance(state, advanced.event, advanced.now, timing)

    @activity.defn(name="port.record")
    async def record(self, recorded: RecordedStep) -> None:
        async with self.desk.database.tenant(recorded.state.org_id) as session:
            await record_step(session, self.desk, recorded)

    @activity.defn(name="port.validate")
    async def validate(self, validated: ValidatedPort) -> Validated:
        return await validate(self.desk, validated)

    @activity.defn(name="port.tell_carrier")
    async def tell_carrier(self, told: ToldCarrier) -> CarrierAnswer:
        return await tell(self.desk, told)

    @activity.defn(name="port.look")
    async def look(self, looked: LookedAt) -> Seen | CarrierAway:
        return await ask_carrier(self.desk, looked)

    @activity.defn(name="port.attach")
    async def attach(self, attached: AttachedNumbers) -> Attached:
        return await attach(self.desk, attached)

    @activity.defn(name="port.due_notices")
    async def due_notices(self, waiting: WaitingNotices) -> NoticeWork:
        return await due(self.desk, waiting)

    @activity.defn(name="port.deliver")
    async def deliver(self, due: DueNotice) -> None:
        await deliver(self.desk, self.messenger, due)


@lru_cache(maxsize=64)
def _timing(profile: CarrierProfile, year: int, scale: float) -> Timing:
    """The periods around this year; a calendar is made of holidays once, not for each event."""
    return timing_of(profile, date(year, 7, 1), scale=scale)
