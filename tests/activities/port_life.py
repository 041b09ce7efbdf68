"""A port order over PostgreSQL and the simulated carrier, driven as its workflow drives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import (
    AdvancedPort,
    DueNotice,
    OpenedPort,
    PortContract,
    RecordedStep,
    WaitingNotices,
)
from activities.port_desk import PortDesk, open_port_desk
from activities.ports import PortActivities
from carriers.simulator_state import Scenario
from channels.base import Delivered, Receipt
from domain.porting.effects import Effect
from domain.porting.events import Fact, FactKind, PortEvent, Started, TimePassed
from domain.porting.messages import MailContent
from domain.porting.order import PortSecrets
from domain.porting.state import PortState, next_deadline
from domain.porting.words import SubStatus
from domain.trunk import TrunkDirection, TrunkProfile, TrunkSecrets
from settings import Settings
from storage import (
    bindings,
    port_documents,
    port_letters,
    port_notices,
    port_numbers,
    port_orders,
    port_secrets,
    port_timeline,
    trunks,
)
from storage.engine import Database
from storage.ids import new_id
from storage.port_documents import NewDocument
from storage.secret_box import SecretBox
from storage.tables import NumberBinding, PortNotice, PortNumber, PortOrder, PortTimelineEntry
from storage.trunk_vault import TrunkVault
from tests.storage.factories import add_organization
from tests.storage.port_rows import DETAILS, an_order
from workflows import port_order_steps

__all__ = ["MONDAY", "Outbox", "PortLife"]

MONDAY = datetime(2026, 11, 2, 15, tzinfo=UTC)

BILL = b"%PDF-1.7 a bill"


@dataclass
class Outbox:
    """A messenger that keeps what it is given; ``receipts`` are its answers, the first first."""

    mails: list[tuple[str, MailContent]] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    breaks: bool = False

    async def mail(
        self, recipient: str, message_id: str, content: MailContent, files: Sequence[bytes]
    ) -> Receipt:
        if self.breaks:
            raise RuntimeError("a fault of ours")
        self.mails.append((recipient, content))
        self.files += files
        return self.receipts.pop(0) if self.receipts else Delivered("taken")

    async def post(
        self, session: AsyncSession, org_id: str, endpoint_id: str, event: Mapping[str, Any]
    ) -> Receipt:
        self.events.append(event)
        return self.receipts.pop(0) if self.receipts else Delivered("taken")


@dataclass
class PortLife:
    """One order of an organization with a trunk and a bill."""

    database: Database
    box: SecretBox
    desk: PortDesk
    activities: PortActivities
    outbox: Outbox
    org_id: str
    order_id: str
    trunk_id: str
    now: datetime = MONDAY
    seq: int = 0
    state: PortState | None = None
    statuses: list[SubStatus] = field(default_factory=list)

    @classmethod
    async def of(
        cls,
        database: Database,
        folder: Path,
        box: SecretBox,
        *numbers: str,
        secrets: PortSecrets | None = None,
        scenario: Scenario | None = None,
        **fields: Any,
    ) -> PortLife:
        """An order that was just placed."""
        settings = Settings(
            database_url=SecretStr("postgresql://unused"),
            document_folder=str(folder),
            porting_desk_emails=("desk@operator.example",),
        )
        desk = open_port_desk(settings, database, box)
        org_id = await add_organization(database)
        trunk_id = await _trunk(database, box, org_id)
        document_id = await _bill(database, desk, org_id)
        details = DETAILS.model_copy(
            update={"document_ids": (document_id,), "trunk_id": trunk_id, "requested_date": None}
        )
        sealed = port_secrets.seal(box, org_id, secrets or PortSecrets(account_number="4711"))
        new = an_order(
            org_id, *numbers, at=MONDAY, details=details, secrets_sealed=sealed, **fields
        )
        async with database.tenant(org_id) as session:
            await port_orders.create(session, new)
        outbox = Outbox()
        made = PortActivities(desk, outbox)
        life = cls(database, box, desk, made, outbox, org_id, new.id, trunk_id)
        if scenario is not None:
            carrier: Any = desk.carriers["simulator"]
            assert await carrier.choose(new.id, scenario, now=MONDAY)
        return life

    @property
    def known(self) -> PortState:
        assert self.state is not None
        return self.state

    def status(self) -> SubStatus:
        """Where it stands now."""
        return self.known.sub_status

    async def begin(self) -> None:
        """The process begins: the letter is made and mailed."""
        opened = OpenedPort(order_id=self.order_id, org_id=self.org_id)
        self.state = await self.activities.open(opened)
        assert self.state is not None
        await self.on(Started())

    async def on(self, event: PortEvent) -> None:
        """Something happens, with all its consequences."""
        effects: deque[Effect] = deque(await self._advance(event))
        while effects:
            follows = await _carried_out(self, effects.popleft())
            if follows is not None:
                effects.extend(await self._advance(follows))

    async def _advance(self, event: PortEvent) -> tuple[Effect, ...]:
        before = self.known
        advanced = AdvancedPort(state=before, event=event, now=self.now)
        step = await self.activities.advance(advanced)
        self.state = step.state
        self.statuses += [each.to_status for each in step.entries if each.to_status is not None]
        if step.state.generation != before.generation:
            recorded = RecordedStep(
                state=step.state, entries=step.entries, notices=step.notices, now=self.now
            )
            # A worker that dies behind its commit leaves it to another one, which repeats it.
            await self.activities.record(recorded)
            await self.activities.record(recorded)
        return step.effects

    async def told(self, kind: FactKind, *positions: int, letter: int = 0) -> None:
        """Something was written down."""
        self.seq += 1
        await self.on(Fact(seq=self.seq, kind=kind, positions=positions, letter=letter))

    async def sign(self) -> None:
        """The newest letter is signed."""
        async with self.database.tenant(self.org_id) as session:
            letter = await port_letters.newest(session, self.order_id)
            assert letter is not None
            key = f"letters/{self.order_id}/signed-{letter.revision}.pdf"
            await self.desk.documents.put(key, b"%PDF-1.7 signed " + letter.id.encode())
            await port_letters.sign(
                session, letter.id, sha256=f"{letter.revision:064x}", stored_key=key, now=self.now
            )
        await self.told(FactKind.LOA_SIGNED, letter=letter.revision)

    async def wait(self, span: timedelta, *, until: SubStatus | None = None) -> None:
        """Let time pass, waking for each deadline, at most until the order stands so."""
        end = self.now + span
        while self.status() is not until:
            due = next_deadline(self.known)
            if due is None or due.at > end:
                break
            self.now = max(due.at, self.now)
            await self.on(TimePassed())
        if until is None:
            self.now = end

    async def send(self) -> int:
        """Send the messages that are due; how many there were."""
        waiting = WaitingNotices(order_id=self.order_id, org_id=self.org_id, now=self.now)
        work = await self.activities.due_notices(waiting)
        for notice_id in work.due:
            due = DueNotice(org_id=self.org_id, notice_id=notice_id, now=self.now)
            await self.activities.deliver(due)
        return len(work.due)

    async def row(self) -> PortOrder:
        async with self.database.tenant(self.org_id) as session:
            found = await port_orders.get(session, self.order_id)
        assert found is not None
        return found

    async def numbers(self) -> list[PortNumber]:
        async with self.database.tenant(self.org_id) as session:
            return await port_numbers.of_order(session, self.order_id)

    async def bound(self) -> dict[str, list[NumberBinding]]:
        """What is attached, by number."""
        numbers = [row.number for row in await self.numbers()]
        async with self.database.tenant(self.org_id) as session:
            return await bindings.of_numbers(session, self.org_id, numbers)

    async def timeline(self) -> list[PortTimelineEntry]:
        async with self.database.tenant(self.org_id) as session:
            return await port_timeline.page(session, self.order_id, limit=500, public_only=False)

    async def notices(self) -> list[PortNotice]:
        async with self.database.tenant(self.org_id) as session:
            return await port_notices.of_order(session, self.order_id)


async def _carried_out(life: PortLife, effect: Effect) -> PortEvent | None:
    """As the workflow does it, without one."""
    asked = port_order_steps.asked_for(effect, life.known, life.now)
    if asked is None:
        return None
    method, argument = asked
    name = method.__name__
    assert hasattr(PortContract, name)
    event: PortEvent = await getattr(life.activities, name)(argument)
    return event


async def _trunk(database: Database, box: SecretBox, org_id: str) -> str:
    async with database.tenant(org_id) as session:
        await trunks.lock(session, org_id)
        vault = await TrunkVault.opened(session, box)
        profile = TrunkProfile(sip_endpoint="sip.example.com", direction=TrunkDirection.BOTH)
        made = await trunks.create(session, vault, org_id, profile, TrunkSecrets(), name="Main")
        return made.id


async def _bill(database: Database, desk: PortDesk, org_id: str) -> str:
    new = NewDocument(
        id=new_id("doc"),
        org_id=org_id,
        media_type="application/pdf",
        size=len(BILL),
        sha256="cd" * 32,
        name="bill.pdf",
        kind="bill",
        stored_key=f"documents/{org_id}/bill.pdf",
        created_at=MONDAY,
    )
    await desk.documents.put(new.stored_key, BILL)
    async with database.tenant(org_id) as session:
        await port_documents.add(session, new, max_files=10, max_size=10_000)
    return new.id
