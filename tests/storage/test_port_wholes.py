"""Split orders follow their parts, and documents know their orders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.porting.words import NumberStatus, PublicStatus, SubStatus
from storage import port_orders
from storage.engine import Database
from storage.port_projection import project
from storage.port_wholes import follow_parts, orders_with_document, parts_of_each
from tests.storage.factories import NOON, add_organization
from tests.storage.port_rows import DETAILS, a_projection, placed

pytestmark = pytest.mark.postgres

S, N = SubStatus, NumberStatus


async def test_the_whole_stands_as_its_parts_do_and_lists_find_it(database: Database) -> None:
    org_id = await add_organization(database)
    whole = await placed(database, org_id)
    first, second = [
        await placed(database, org_id, f"+1415555010{at}", parent_id=whole.id) for at in range(2)
    ]

    async def after(order_id: str, generation: int, status: SubStatus, number: NumberStatus) -> str:
        ended = NOON if status in (S.COMPLETED, S.FAILED) else None
        projection = a_projection(generation, status, number, completed_at=ended)
        async with database.tenant(org_id) as session:
            await project(session, order_id, projection)
            await follow_parts(session, whole.id, at=NOON + timedelta(hours=generation))
        async with database.tenant(org_id) as session:
            row = await port_orders.get(session, whole.id)
        assert row is not None
        return f"{row.sub_status} {row.status} {row.completed_at is not None}"

    assert await after(first.id, 1, S.LSR_SENT, N.SUBMITTED) == (
        "validating waiting_for_signature False"
    )
    assert await after(second.id, 1, S.ACTION_REQUIRED, N.REJECTED) == (
        "action_required in_progress False"
    )
    assert await after(first.id, 2, S.COMPLETED, N.VERIFIED) == "action_required in_progress False"
    assert await after(second.id, 2, S.FAILED, N.FAILED) == "partially_completed completed True"


async def test_an_order_without_parts_is_left_alone(database: Database) -> None:
    org_id = await add_organization(database)
    order = await placed(database, org_id, "+14155550100")
    async with database.tenant(org_id) as session:
        await follow_parts(session, order.id, at=NOON)
        await follow_parts(session, "port_nobody", at=NOON)
        found = await port_orders.get(session, order.id)
        assert await parts_of_each(session, [order.id]) == {}
    assert found is not None
    assert found.status is PublicStatus.WAITING_FOR_SIGNATURE


async def test_a_document_knows_the_orders_that_have_it(database: Database) -> None:
    org_id, other = await add_organization(database), await add_organization(database)
    details = DETAILS.model_copy(update={"document_ids": ("doc_a", "doc_b")})
    order = await placed(database, org_id, "+14155550100", details=details)
    async with database.tenant(org_id) as session:
        assert await orders_with_document(session, "doc_b") == [order.id]
        assert await orders_with_document(session, "doc_c") == []
    async with database.tenant(other) as session:
        assert await orders_with_document(session, "doc_b") == []
