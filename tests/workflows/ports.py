"""A port order's workflow in a test: told, asked and watched as the relay and the API do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import CancelAnswer, PortAnswer
from domain.porting.events import CancelAsked, FactKind, Order
from domain.porting.order_refusals import OrderRefusal
from domain.porting.snapshot import CarrierStatus
from domain.porting.state import PortState
from domain.porting.words import NumberStatus, SubStatus
from tests.workflows.fake_port import FakePort, Handle, start_port, told
from tests.workflows.harness import new_worker, time_skipping, unique
from workflows.names import ErrorType, port_workflow_id
from workflows.port_order import PortOrderWorkflow

__all__ = ["DAY", "HOUR", "Porting", "porting"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Porting:
    """One order's workflow and its fake activities; ``environment`` lets time pass."""

    client: Client
    fake: FakePort
    environment: WorkflowEnvironment | None = None
    order_id: str = field(default_factory=lambda: unique("port"))
    seq: int = 1

    @property
    def handle(self) -> Handle:
        found: Handle = self.client.get_workflow_handle_for(
            PortOrderWorkflow.run, port_workflow_id(self.order_id)
        )
        return found

    async def placed(self) -> Handle:
        """The order was placed, and waits for its signature or documents."""
        handle = await start_port(self.client, self.order_id)
        await self.until(lambda: len(self.fake.statuses) > 1)
        return handle

    async def told(self, kind: FactKind, *positions: int, letter: int = 0) -> None:
        """Something was written down, and the relay tells."""
        self.seq += 1
        await told(self.client, self.order_id, self.seq, kind, *positions, letter=letter)

    async def signed(self, letter: int = 1) -> None:
        """The letter was signed."""
        await self.told(FactKind.LOA_SIGNED, letter=letter)

    async def sent(self) -> Handle:
        """The order was placed and signed, and the losing carrier has it."""
        handle = await self.placed()
        await self.signed()
        await self.becomes(SubStatus.LSR_SENT)
        return handle

    async def news(self, status: CarrierStatus, each: NumberStatus | None, **facts: Any) -> None:
        """The carrier has news, and hints at it."""
        self.fake.carrier.says(status, each, **facts)
        await self.told(FactKind.CARRIER_EVENT)

    async def committed(self, span: timedelta) -> datetime:
        """The losing carrier commits itself; to when."""
        foc_at = await self.now() + span
        await self.news(CarrierStatus.FOC_CONFIRMED, NumberStatus.ACCEPTED, foc_at=foc_at)
        await self.becomes(SubStatus.FOC_CONFIRMED)
        return foc_at

    async def ported(self) -> None:
        """Every number was switched."""
        await self.news(CarrierStatus.COMPLETED, NumberStatus.PORTED)

    async def ask(self, order: Order) -> PortAnswer:
        """What the customer wants, as the API asks."""
        update: Any = {
            "cancel_asked": PortOrderWorkflow.cancel,
            "reschedule_asked": PortOrderWorkflow.reschedule,
            "resubmit_asked": PortOrderWorkflow.resubmit,
            "activate_asked": PortOrderWorkflow.activate,
            "drop_asked": PortOrderWorkflow.drop_number,
        }[order.type]
        answer: PortAnswer = await self.handle.execute_update(update, order)
        return answer

    async def cancel(self, *, wait_seconds: float = 0) -> CancelAnswer:
        """The customer cancels."""
        answer = await self.ask(CancelAsked(wait_seconds=wait_seconds))
        assert isinstance(answer, CancelAnswer)
        return answer

    async def refusal(self, order: Order) -> OrderRefusal:
        """Why what the customer wants is not done."""
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await self.ask(order)
        cause = failed.value.cause
        assert isinstance(cause, ApplicationError)
        assert cause.type == ErrorType.PORT_ORDER_REFUSED
        return OrderRefusal(cause.details[0])

    async def becomes(self, status: SubStatus) -> None:
        """Wait until the rows say so."""
        await self.until(lambda: self.fake.statuses[-1:] == [status])

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the fake sees; the test's own time limit ends it."""
        for _ in iter(int, 1):
            if holds():
                return
            await asyncio.sleep(0.02)

    async def after(self, span: timedelta) -> None:
        """Let time pass."""
        assert self.environment is not None
        await self.environment.sleep(span)

    async def now(self) -> datetime:
        """The server's time."""
        if self.environment is None:
            return datetime.now(UTC)
        return await self.environment.get_current_time()

    async def standing(self) -> PortState:
        """All that the workflow knows."""
        found = await self.handle.query(PortOrderWorkflow.standing)
        assert found is not None
        return found


@asynccontextmanager
async def porting(fake: FakePort | None = None) -> AsyncIterator[Porting]:
    """An order on a server whose clock jumps."""
    fake = fake or FakePort()
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        yield Porting(environment.client, fake, environment)
