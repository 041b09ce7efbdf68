"""The simulated winning carrier: orders that live in PostgreSQL and take their course by themselves.

Every process sees the same orders, and none does anything for them to go on: what a carrier would do is
worked out from what it was told (``carriers.simulator_script``), so a process may die anywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from carriers.base import (
    CarrierReceipt,
    CarrierRefused,
    CarrierUnavailable,
    PortingCarrier,
    PortSubmission,
    UnknownCarrierOrder,
    attempt_of,
)
from carriers.simulator_numbers import check_number
from carriers.simulator_rules import flaws_of, refusal_of, refusals_of
from carriers.simulator_script import snapshot
from carriers.simulator_state import Heard, Scenario, SimulatedOrder, scenario_of
from carriers.simulator_webhooks import due_webhooks, headers_of, next_webhook_at
from domain.porting.portability import PortabilityCheck
from domain.porting.snapshot import CarrierSnapshot
from domain.porting.state import CommandKind
from storage import simulated_ports
from storage.engine import Database
from storage.tables import SimulatedPort

__all__ = ["NAME", "SimulatedCarrier", "SimulatedPostman", "carrier_order_id_of"]

NAME: Final = "simulator"


def carrier_order_id_of(order_id: str) -> str:
    """What the simulated carrier calls an order: the same whenever it is asked."""
    return f"sim_{order_id.removeprefix('port_')}"


@dataclass(frozen=True, slots=True)
class SimulatedCarrier(PortingCarrier):
    """``scale`` divides all waiting: with 1 a week takes a week, with 10,000 a minute."""

    database: Database
    scale: float = 1.0

    @property
    def name(self) -> str:
        """See ``PortingCarrier.name``."""
        return NAME

    async def check(self, numbers: Sequence[str], *, now: datetime) -> list[PortabilityCheck]:
        """See ``PortingCarrier.check``."""
        return [check_number(each) for each in numbers]

    async def submit(self, submission: PortSubmission, *, now: datetime) -> CarrierReceipt:
        """See ``PortingCarrier.submit``."""
        carrier_order_id = carrier_order_id_of(submission.order_id)
        async with self.database.system() as session:
            await _place(session, submission.order_id, now)
            row, order = await _held(session, carrier_order_id)
            if order.has(submission.key):
                return CarrierReceipt(carrier_order_id)
            named = order.model_copy(
                update={
                    "scale": self.scale,
                    "kind": submission.kind,
                    "on_demand": submission.on_demand,
                }
            )
            heard = await self._hear_request(
                session, row, named, CommandKind.SUBMIT, submission, now
            )
        if scenario_of(heard) is Scenario.REPLY_LOST and len(heard.heard) == 1:
            raise CarrierUnavailable("the reply of the simulated carrier was lost")
        return CarrierReceipt(carrier_order_id)

    async def supplement(
        self, carrier_order_id: str, submission: PortSubmission, *, now: datetime
    ) -> None:
        """See ``PortingCarrier.supplement``."""
        async with self.database.system() as session:
            row, order = await _held(session, carrier_order_id)
            if not order.has(submission.key):
                kind = CommandKind.SUPPLEMENT
                await self._hear_request(session, row, order, kind, submission, now)

    async def reschedule(
        self, carrier_order_id: str, key: str, requested: date, *, now: datetime
    ) -> None:
        """See ``PortingCarrier.reschedule``."""
        await self._command(
            carrier_order_id, CommandKind.RESCHEDULE, key, now, requested_date=requested
        )

    async def cancel(self, carrier_order_id: str, key: str, *, now: datetime) -> None:
        """See ``PortingCarrier.cancel``."""
        await self._command(carrier_order_id, CommandKind.CANCEL, key, now)

    async def activate(self, carrier_order_id: str, key: str, *, now: datetime) -> None:
        """See ``PortingCarrier.activate``."""
        await self._command(carrier_order_id, CommandKind.ACTIVATE, key, now)

    async def snapshot(self, carrier_order_id: str, *, now: datetime) -> CarrierSnapshot:
        """See ``PortingCarrier.snapshot``."""
        async with self.database.system() as session:
            row = await simulated_ports.get(session, carrier_order_id)
        found = None if row is None else snapshot(SimulatedOrder.model_validate(row.state), now)
        if found is None:
            raise UnknownCarrierOrder(carrier_order_id)
        return found

    async def choose(self, order_id: str, scenario: Scenario, *, now: datetime) -> bool:
        """Let this happen to an order; false when the carrier has it already.

        Done in the name of whoever may see the order: the carrier knows no organizations.
        """
        async with self.database.system() as session:
            await _place(session, order_id, now)
            row, order = await _held(session, carrier_order_id_of(order_id))
            if order.heard:
                return False
            await _save(session, row, order.model_copy(update={"scenario": scenario}), now)
        return True

    async def _command(
        self,
        carrier_order_id: str,
        kind: CommandKind,
        key: str,
        now: datetime,
        *,
        requested_date: date | None = None,
    ) -> None:
        async with self.database.system() as session:
            row, order = await _held(session, carrier_order_id)
            if order.has(key):
                return
            command = Heard(
                key=key,
                kind=kind,
                at=order.moment(now),
                attempt=attempt_of(key),
                requested_date=requested_date,
            )
            await _hear(session, row, order, command, now)

    async def _hear_request(
        self,
        session: AsyncSession,
        row: SimulatedPort,
        order: SimulatedOrder,
        kind: CommandKind,
        submission: PortSubmission,
        now: datetime,
    ) -> SimulatedOrder:
        refusals = refusals_of(submission)
        if refusals:
            raise CarrierRefused(*refusals)
        command = Heard(
            key=submission.key,
            kind=kind,
            at=order.moment(now),
            attempt=submission.attempt,
            numbers=tuple(submission.numbers),
            requested_date=submission.details.requested_date,
            letter=submission.letter.sha256 if submission.letter else "",
            flaws=flaws_of(submission),
        )
        return await _hear(session, row, order, command, now)


@dataclass(frozen=True, slots=True)
class SimulatedPostman:
    """Sends webhooks that are due. ``send`` posts headers and a body, and says whether they arrived."""

    database: Database
    send: Callable[[Sequence[tuple[str, str]], bytes], Awaitable[bool]]
    secret: str = field(repr=False)
    patience: timedelta = timedelta(seconds=10)
    """Until a webhook that did not arrive is tried again."""

    async def deliver(self, *, now: datetime, limit: int = 20) -> int:
        """Send what is due of so many orders, each in turn; how many arrived.

        Several processes may do so at once. One that dies has sent what it will send again.
        """
        async with self.database.system() as session:
            rows = await simulated_ports.due(session, now=now, limit=limit)
            for row in rows:
                # Nobody else takes it meanwhile; no lock is held while something is sent.
                row.webhook_at = now + self.patience
        arrived = 0
        for row in rows:
            arrived += await self._deliver(row.carrier_order_id, now)
        return arrived

    async def _deliver(self, carrier_order_id: str, now: datetime) -> int:
        async with self.database.system() as session:
            row = await simulated_ports.get(session, carrier_order_id)
        order = None if row is None else SimulatedOrder.model_validate(row.state)
        if order is None:
            return 0
        arrived = 0
        for webhook in due_webhooks(order, now):
            if not await self.send(headers_of(webhook, self.secret, now), webhook.body):
                break
            arrived += 1
        else:
            await self._note(carrier_order_id, order.told + arrived, now, retry_at=None)
            return arrived
        await self._note(carrier_order_id, order.told + arrived, now, retry_at=now + self.patience)
        return arrived

    async def _note(
        self, carrier_order_id: str, told: int, now: datetime, *, retry_at: datetime | None
    ) -> None:
        async with self.database.system() as session:
            row, order = await _held(session, carrier_order_id)
            noted = order.model_copy(update={"told": max(told, order.told)})
            webhook_at = retry_at or next_webhook_at(noted)
            await simulated_ports.save(
                session, row, noted.model_dump(mode="json"), webhook_at=webhook_at, now=now
            )


async def _place(session: AsyncSession, order_id: str, now: datetime) -> None:
    """Have a row for the order; another process may have made it."""
    carrier_order_id = carrier_order_id_of(order_id)
    new = SimulatedOrder(carrier_order_id=carrier_order_id, order_id=order_id)
    state = new.model_dump(mode="json")
    await simulated_ports.place(session, carrier_order_id, order_id, state, now=now)


async def _held(
    session: AsyncSession, carrier_order_id: str
) -> tuple[SimulatedPort, SimulatedOrder]:
    row = await simulated_ports.get(session, carrier_order_id, for_update=True)
    if row is None:
        raise UnknownCarrierOrder(carrier_order_id)
    return row, SimulatedOrder.model_validate(row.state)


async def _hear(
    session: AsyncSession,
    row: SimulatedPort,
    order: SimulatedOrder,
    command: Heard,
    now: datetime,
) -> SimulatedOrder:
    refusal = refusal_of(order, command)
    if refusal is not None:
        raise CarrierRefused(refusal)
    heard = order.hearing(command)
    await _save(session, row, heard, now)
    return heard


async def _save(
    session: AsyncSession, row: SimulatedPort, order: SimulatedOrder, now: datetime
) -> None:
    state = order.model_dump(mode="json")
    webhook_at = next_webhook_at(order)
    await simulated_ports.save(session, row, state, webhook_at=webhook_at, now=now)
