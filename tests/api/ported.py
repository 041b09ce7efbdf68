"""Port orders as customers place them, for the API's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import select
from sqlmodel import col

from activities.contracts import CancelAnswer
from api.app import create_app
from domain.porting.order import PortSecrets
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.standing import standing_of
from domain.porting.state import NumberState, PortState
from domain.porting.words import NumberStatus, SubStatus
from settings import Settings
from storage import audit, port_documents, port_numbers, port_orders, port_secrets
from storage.engine import Database
from storage.ids import new_id
from storage.port_documents import NewDocument
from storage.port_projection import ProjectedNumber, Projection, project
from storage.secret_box import SecretBox
from storage.tables import OutboxEntry, PortNumber, PortOrder
from tests.api.port_workflows import PortWorkflows
from tests.api.tenants import Tenant

__all__ = [
    "ACCOUNT",
    "ASKED",
    "LANDLINE",
    "MOBILE",
    "NAME",
    "NOT_PORTABLE",
    "OTHER_CARRIER",
    "PIN",
    "TOLL_FREE",
    "UNKNOWN",
    "Porter",
    "actions",
    "add_document",
    "body",
    "code",
    "errors_of",
    "porter_of",
    "secrets_of",
]

URL = "/v1/sip/port"
LANDLINE = "+14155550100"
MOBILE = "+14155559001"
ACCOUNT = "00412-88731"
PIN = "471147"
OTHER_CARRIER = "+14155550150"
TOLL_FREE = "+18005550100"
NOT_PORTABLE = "+14155550190"
UNKNOWN = "+14155550193"

ASKED = CancelAnswer(
    sub_status=SubStatus.LSR_SENT, generation=2, canceled=False, cancel_requested=True
)
NAME = SeenRejection(code=RejectionCode.NAME_MISMATCH)


def body(*numbers: Any, **changes: Any) -> dict[str, Any]:
    """An order in the guide's words that carriers would take."""
    information = {
        "customer_type": "business",
        "business_name": "Acme, Inc.",
        "first_name": "Jane",
        "last_name": "Doe",
        "account_number": ACCOUNT,
        "authorized_representative_email": "jane@acme.example",
        "notification_emails": ["it@acme.example"],
        "address": {
            "street": "1 Main St",
            "street2": "Suite 4",
            "city": "San Francisco",
            "state": "CA",
            "zip": "94105",
            "country": "US",
        },
        **changes.pop("information", {}),
    }
    return {
        "phone_numbers": list(numbers) or [LANDLINE],
        "losing_carrier_information": information,
        **changes,
    }


@dataclass
class Porter:
    """An organization that ports numbers."""

    client: httpx.AsyncClient
    tenant: Tenant
    database: Database

    async def ask(
        self, method: str, path: str = "", body: Any = None, **options: Any
    ) -> httpx.Response:
        headers = {**self.tenant.editor, **options.pop("headers", {})}
        return await self.client.request(
            method, f"{URL}{path}", json=body, headers=headers, **options
        )

    async def told(self, method: str, path: str = "", body: Any = None, **options: Any) -> Any:
        """What a request that must succeed is answered."""
        answer = await self.ask(method, path, body, **options)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()["data"]

    async def placed(self, *numbers: Any, **changes: Any) -> str:
        """The id of an order that was taken."""
        found: str = (await self.told("POST", "/initiate", body(*numbers, **changes)))[
            "port_request_id"
        ]
        return found

    async def row(self, order_id: str) -> PortOrder:
        async with self.database.tenant(self.tenant.org_id) as session:
            found = await port_orders.get(session, order_id)
        assert found is not None
        return found

    async def numbers(self, order_id: str) -> Sequence[PortNumber]:
        async with self.database.tenant(self.tenant.org_id) as session:
            return await port_numbers.of_order(session, order_id)

    async def facts(self, order_id: str) -> list[dict[str, Any]]:
        """What the order's workflow is told, the first first."""
        async with self.database.tenant(self.tenant.org_id) as session:
            found = await session.scalars(
                select(OutboxEntry)
                .where(col(OutboxEntry.stream) == port_orders.stream_of(order_id))
                .order_by(col(OutboxEntry.id))
            )
            return [each.payload for each in found]

    async def stands(
        self,
        order_id: str,
        sub_status: SubStatus,
        number: NumberStatus = NumberStatus.SUBMITTED,
        **facts: Any,
    ) -> PortState:
        """Let the order stand so, as its workflow would have written it."""
        order, rows = await self.row(order_id), await self.numbers(order_id)
        numbers = tuple(NumberState(position=each.position, status=number) for each in rows)
        state = PortState(
            order_id=order_id,
            org_id=order.org_id,
            generation=order.generation + 1,
            sub_status=sub_status,
            numbers=numbers,
            **{"at_carrier": True, "details": order.revision, **facts},
        )
        async with self.database.tenant(self.tenant.org_id) as session:
            assert await project(
                session,
                order_id,
                Projection(
                    generation=state.generation,
                    at=datetime.now(UTC),
                    sub_status=sub_status,
                    numbers=[ProjectedNumber(position=n.position, status=number) for n in numbers],
                    standing={**order.standing, **standing_of(state)},
                    foc_at=state.foc_at,
                    completed_at=state.completed_at,
                    cancel_requested_at=state.cancel_requested_at,
                    cancel_cutoff_at=state.cancel_cutoff_at,
                ),
            )
        return state


async def add_document(database: Database, org_id: str, name: str = "bill.pdf") -> str:
    """The row of a document, without content."""
    document_id = new_id("doc")
    async with database.tenant(org_id) as session:
        await port_documents.add(
            session,
            NewDocument(
                id=document_id,
                org_id=org_id,
                media_type="application/pdf",
                size=10,
                sha256="0" * 64,
                name=name,
                kind="bill",
                stored_key=f"uploads/{org_id}/{document_id}",
                created_at=datetime.now(UTC),
                pages=1,
            ),
            max_files=1000,
            max_size=10**9,
        )
    return document_id


@asynccontextmanager
async def porter_of(
    settings: Settings, database: Database, tenant: Tenant, workflows: PortWorkflows
) -> AsyncIterator[Porter]:
    """A customer of an API whose Temporal these workflows stand for."""
    app = create_app(settings, database=database, temporal=workflows)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield Porter(client, tenant, database)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["error"]


def errors_of(answer: httpx.Response) -> dict[str | None, str]:
    """Codes of a refusal by field."""
    assert answer.status_code in (400, 409), answer.text
    return {each.get("field"): each["error"] for each in answer.json()["errors"]}


async def actions(porter: Porter) -> list[str]:
    """What the audit log says was done, the newest first."""
    async with porter.database.tenant(porter.tenant.org_id) as session:
        found = await audit.entries(session, porter.tenant.org_id, limit=20)
    return [each.action for each in found]


async def secrets_of(porter: Porter, settings: Settings, order_id: str) -> PortSecrets:
    """Account numbers and PINs of an order, opened."""
    assert settings.secret_keys is not None
    box = SecretBox.from_key_ring(settings.secret_keys.get_secret_value())
    async with porter.database.tenant(porter.tenant.org_id) as session:
        return await port_secrets.read(session, box, order_id)
