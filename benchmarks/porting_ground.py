"""The running system of the porting measurement, and its orders.

One order is placed and gets its letter; the others are written as it stands then, with that letter, and their
workflows go on from their rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import psycopg
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from domain.porting.events import FactKind
from domain.porting.order import PortDetails
from domain.porting.standing import standing_of, state_in
from domain.porting.state import PortState
from domain.porting.words import SubStatus
from local.process import ManagedProcess
from storage import port_letters, port_orders
from storage.engine import Database
from storage.ids import new_id
from storage.port_letters import NewLetter
from storage.port_orders import NewPortOrder
from storage.port_projection import ProjectedNumber, Projection, project
from storage.tables import PortLoa, PortOrder
from tests.papers.files import bill
from tests.storage.port_rows import DETAILS, an_order
from tests.support.customer import Customer
from tests.support.mail_server import MailServer, run_mail_server
from tests.support.postgres import TestDatabase, run_postgres
from tests.support.product import open_product
from tests.support.temporal import run_temporal
from workflows.names import WORKFLOW_QUEUE

__all__ = ["BEGUN_WITHIN", "SEEN_WITHIN", "SENT", "TAKEN", "Ground", "ground"]

AT_A_TIME: Final = 20
"""Orders that are written at once."""

WORKFLOW_TASKS: Final = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITY_TASKS: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
QUIET_LOOKS: Final = 3
"""In a row, a second apart: a task may be between two queues."""

LOOK_EVERY: Final = 0.01
"""Seconds: what is measured is so much more exact, or less."""

WAITING: Final = "SELECT 1 FROM port_orders WHERE id = %s AND sub_status = 'awaiting_signature'"
TAKEN: Final = "SELECT 1 FROM outbox WHERE stream LIKE %s AND delivered_at IS NOT NULL"
SENT: Final = "SELECT 1 FROM port_orders WHERE sub_status = %s"

BEGUN_WITHIN: Final = 240.0
SEEN_WITHIN: Final = 120.0


@dataclass
class Ground:
    """A running system with one organization, and what is known of its orders."""

    customer: Customer
    database: Database
    urls: TestDatabase
    worker: ManagedProcess
    temporal: Client
    mails: MailServer
    details: PortDetails
    order_ids: list[str] = field(default_factory=list)
    told: dict[str, float] = field(default_factory=dict)
    """When an order's entry had been written, in seconds of the monotonic clock."""
    seen: dict[str, float] = field(default_factory=dict)
    """When its next sub-status was there."""

    async def place(self, count: int) -> None:
        """Place one order, let it come to its signature, and write more that stand like it."""
        first = self._order(0)
        async with self.database.tenant(self.customer.org_id) as session:
            await port_orders.create(session, first)
        await self.until(WAITING, first.id, 1, BEGUN_WITHIN)
        async with self.database.tenant(self.customer.org_id) as session:
            row = await port_orders.get(session, first.id)
            letter = await port_letters.newest(session, first.id)
        assert row is not None
        assert letter is not None
        state = state_in(row.standing)
        assert state is not None
        admitted = asyncio.Semaphore(AT_A_TIME)

        async def like_it(number: int) -> str:
            new = self._order(number)
            async with admitted, self.database.tenant(self.customer.org_id) as session:
                await port_orders.create(session, new)
                await port_letters.add(session, _copied(letter, new.id))
                mine = state.model_copy(update={"order_id": new.id})
                assert await project(session, new.id, _projected(mine, row))
            return new.id

        made = await asyncio.gather(*map(like_it, range(1, count)))
        self.order_ids = [first.id, *made]

    def _order(self, number: int) -> NewPortOrder:
        phone = f"+1415556{2_000 + number}"
        return an_order(self.customer.org_id, phone, at=datetime.now(UTC), details=self.details)

    async def sign(self, order_id: str) -> None:
        """Write down that the order's letter was signed, and that its workflow is to hear of it."""
        async with self.database.tenant(self.customer.org_id) as session:
            letter = await port_letters.newest(session, order_id)
            assert letter is not None
            await port_letters.sign(
                session,
                letter.id,
                sha256=letter.unsigned_sha256,
                stored_key=letter.unsigned_key,
                now=datetime.now(UTC),
            )
            await port_orders.tell(
                session, self.customer.org_id, order_id, FactKind.LOA_SIGNED, letter=1
            )
        self.told[order_id] = time.monotonic()

    async def watch(self) -> None:
        """Look for what changed, until cancelled."""
        query = "SELECT id FROM port_orders WHERE NOT sub_status = ANY(%s)"
        before = [[SubStatus.VALIDATING.value, SubStatus.AWAITING_SIGNATURE.value]]
        async with await psycopg.AsyncConnection.connect(
            self.urls.admin_url, autocommit=True
        ) as reader:
            while True:
                for (order_id,) in await (await reader.execute(query, before)).fetchall():
                    self.seen.setdefault(order_id, time.monotonic())
                await asyncio.sleep(LOOK_EVERY)

    async def until(self, query: str, value: str, count: int, seconds: float) -> None:
        """Wait until so many orders are found. Raises ``TimeoutError``."""
        give_up = time.monotonic() + seconds
        with psycopg.connect(self.urls.admin_url, autocommit=True) as reader:
            while (found := len(reader.execute(query.encode(), [value]).fetchall())) < count:
                if time.monotonic() > give_up:
                    raise TimeoutError(f"{found} of {count} orders after {seconds:g} s")
                await asyncio.sleep(0.1)

    async def nothing_waits(self) -> None:
        """Wait until Temporal has no task for the worker: workflows began when their entries were taken,
        and run when the worker did. Raises ``TimeoutError``."""
        quiet = 0
        async with asyncio.timeout(BEGUN_WITHIN):
            while quiet < QUIET_LOOKS:
                waiting = [await self._backlog(each) for each in (WORKFLOW_TASKS, ACTIVITY_TASKS)]
                quiet = 0 if any(waiting) else quiet + 1
                await asyncio.sleep(1)

    async def _backlog(self, kind: TaskQueueType.ValueType) -> int:
        described = await self.temporal.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self.temporal.namespace,
                task_queue=TaskQueue(name=WORKFLOW_QUEUE),
                task_queue_type=kind,
                report_stats=True,
            )
        )
        return described.stats.approximate_backlog_count

    def latencies(self, order_ids: Sequence[str]) -> list[float]:
        """Seconds from the entry to the row, by order."""
        return [self.seen[each] - self.told[each] for each in order_ids]


def _copied(letter: PortLoa, order_id: str) -> NewLetter:
    """The same letter, of another order."""
    return NewLetter(
        id=new_id("loa"),
        order_id=order_id,
        revision=letter.revision,
        content=port_letters.content_of(letter),
        unsigned_sha256=letter.unsigned_sha256,
        unsigned_key=letter.unsigned_key,
        created_at=letter.created_at,
    )


def _projected(state: PortState, row: PortOrder) -> Projection:
    """A row that stands as this one does."""
    return Projection(
        generation=state.generation,
        at=row.updated_at,
        sub_status=state.sub_status,
        numbers=[
            ProjectedNumber(position=each.position, status=each.status) for each in state.numbers
        ],
        standing={**row.standing, **standing_of(state)},
    )


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """The system, started."""
    for name in ("postgres", "temporal", "product"):
        (folder / name).mkdir()
    async with AsyncExitStack() as stack:
        urls = stack.enter_context(
            stack.enter_context(run_postgres(folder / "postgres")).database()
        )
        temporal = await stack.enter_async_context(run_temporal(folder / "temporal"))
        mails = await stack.enter_async_context(run_mail_server("127.0.0.1"))
        product = await stack.enter_async_context(
            open_product(
                folder / "product",
                urls,
                temporal,
                TRUNKLINE_DOCUMENT_FOLDER=str(folder / "documents"),
                TRUNKLINE_SMTP_HOST=mails.address,
                TRUNKLINE_SMTP_PORT=str(mails.port),
                TRUNKLINE_SMTP_SECURITY="none",
                TRUNKLINE_SMTP_SENDER="porting@trunkline.example",
            )
        )
        api, worker = await asyncio.gather(product.start_api(), product.start_worker())
        customer = await product.customer(api)
        details = DETAILS.model_copy(update={"document_ids": (await uploaded(customer),)})
        client = await Client.connect(temporal.address, namespace=temporal.namespace)
        yield Ground(customer, product.database, urls, worker, client, mails, details)


async def uploaded(customer: Customer) -> str:
    """The id of a bill."""
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(
            f"{customer.url}/v1/sip/port/document",
            files={"file": ("bill.pdf", bill(), "application/pdf")},
            headers={"Authorization": f"Bearer {customer.key}"},
        )
    assert answer.status_code == 200, answer.text
    document_id: str = answer.json()["data"]["document_sid"]
    return document_id
