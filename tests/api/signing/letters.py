"""Orders that wait for a signature, and what a browser does with their pages."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import httpx
from sqlalchemy import select, update
from sqlmodel import col

from api.state import ApiState
from domain.porting.loa_template import parse_template
from domain.porting.loa_text import LoaFacts, compose
from domain.porting.order import PortDetails
from domain.porting.signature_trail import TrailEntry
from domain.porting.words import PortKind, SubStatus
from papers.loa_pdf import render
from storage import port_letters, port_links, port_signatures
from storage.engine import Database
from storage.ids import new_id
from storage.port_letters import NewLetter
from storage.tables import OutboxEntry, PortLoa, PortNotice, PortOrder
from storage.trunk_vault import server_key
from tests.storage.port_rows import DETAILS, MAILBOX, placed

__all__ = ["SECRET", "Desk", "Waiting", "form_of", "signed_form"]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNER = "Jané Döe"
TEMPLATE = parse_template((files("domain.porting") / "loa_template_v1.toml").read_text())


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order, its letter, and the newest link."""

    order_id: str
    loa: PortLoa
    token: str

    @property
    def page(self) -> str:
        return f"/sign/link/{self.token}"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the order's workflow would do."""

    state: ApiState
    database: Database
    org_id: str

    async def order(self, details: PortDetails = DETAILS, **link: Any) -> Waiting:
        """An order whose link was mailed now."""
        order = await placed(self.database, self.org_id, _number(), details=details)
        await self.move(order.id, SubStatus.AWAITING_SIGNATURE)
        now = datetime.now(UTC)
        facts = LoaFacts(
            order_id=order.id,
            revision=1,
            kind=PortKind.LOCAL,
            details=details,
            numbers=tuple(each.number for each in order.numbers),
            losing_carrier="Old Carrier",
            winning_carrier="New Carrier",
            agent="Platform",
            contact="port@platform.example",
            issued_on=now.date(),
            link_days=30,
        )
        content = compose(TEMPLATE, facts)
        letter = render(content, now)
        digest = hashlib.sha256(letter).hexdigest()
        key = f"letters/{order.id}/1.pdf"
        await self.state.porting.documents.put(key, letter)
        async with self.database.tenant(self.org_id) as session:
            loa = await port_letters.add(
                session,
                NewLetter(
                    id=new_id("loa"),
                    order_id=order.id,
                    revision=1,
                    content=content,
                    unsigned_sha256=digest,
                    unsigned_key=key,
                    created_at=now,
                ),
            )
        assert loa is not None
        return Waiting(order.id, loa, await self.link(loa, **link))

    async def link(
        self, loa: PortLoa, *, notice_id: str | None = None, days: int = 30, ago: int = 0
    ) -> str:
        """Mail a link that works for so many days, so many days ago."""
        now = datetime.now(UTC) - timedelta(days=ago)
        async with self.database.tenant(self.org_id) as session:
            token = await port_links.issue(
                session,
                await server_key(session, self.state.secret_box, "signature_links"),
                notice_id or new_id("ntc"),
                loa_id=loa.id,
                email=MAILBOX,
                now=now,
                expires_at=now + timedelta(days=days),
            )
        assert token is not None
        return token

    async def move(self, order_id: str, sub_status: SubStatus) -> None:
        async with self.database.tenant(self.org_id) as session:
            await session.execute(
                update(PortOrder).where(col(PortOrder.id) == order_id).values(sub_status=sub_status)
            )

    async def loa(self, waiting: Waiting) -> PortLoa:
        async with self.database.tenant(self.org_id) as session:
            found = await port_letters.get(session, waiting.loa.id)
        assert found is not None
        return found

    async def trail(self, waiting: Waiting) -> list[TrailEntry]:
        async with self.database.tenant(self.org_id) as session:
            return await port_signatures.trail(session, waiting.loa.id)

    async def actions(self, waiting: Waiting) -> list[str]:
        return [each.event.action.value for each in await self.trail(waiting)]

    async def facts(self, order_id: str) -> list[dict[str, Any]]:
        """What the order's workflow is told, but that it was placed."""
        async with self.database.tenant(self.org_id) as session:
            found = await session.scalars(
                select(OutboxEntry)
                .where(col(OutboxEntry.stream) == f"port:{order_id}")
                .order_by(col(OutboxEntry.id))
            )
            return [each.payload for each in found if each.payload["fact"] != "submitted"]

    async def notices(self, order_id: str) -> list[PortNotice]:
        async with self.database.tenant(self.org_id) as session:
            found = await session.scalars(
                select(PortNotice).where(col(PortNotice.order_id) == order_id)
            )
            return list(found)


_taken = iter(range(10_000))


def _number() -> str:
    return f"+1202555{next(_taken):04}"


def form_of(page: httpx.Response) -> dict[str, str]:
    """The proof that the page's forms carry."""
    found = re.search(r'name="proof" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return {"proof": found[1]}


def signed_form(page: httpx.Response, **changes: str) -> dict[str, str]:
    """The form as a signer fills it in."""
    filled = {**form_of(page), "consent": "yes", "intent": "yes", "name": SIGNER, "drawing": ""}
    return {name: value for name, value in {**filled, **changes}.items() if value is not None}
