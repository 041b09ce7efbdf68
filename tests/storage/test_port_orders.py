"""Port orders as rows: made whole or not at all, changed by revision, listed, told to their workflows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.porting.events import FactKind
from domain.porting.rejections import RejectionCode
from domain.porting.words import NumberStatus, NumberType, PortType, PublicStatus, SubStatus
from storage import port_numbers, port_orders, port_pages, port_projection
from storage.engine import Database
from storage.ids import new_id
from storage.port_numbers import NewPortNumber, NumbersTaken
from storage.port_pages import PortFilter
from tests.storage.factories import NOON
from tests.storage.port_rows import DETAILS, a_projection, an_order, placed

pytestmark = pytest.mark.postgres

A, B, C = "+12025550101", "+12025550102", "+12025550103"
MINUTE = timedelta(minutes=1)


async def outbox_of(database: Database) -> list[tuple[str, str, dict[str, str]]]:
    async with database.system() as session:
        found = await session.execute(text("SELECT stream, kind, payload FROM outbox ORDER BY id"))
        return [tuple(row) for row in found]


async def test_an_order_comes_with_its_numbers_and_its_workflow_is_told(
    database: Database, org_id: str
) -> None:
    new = await placed(database, org_id, B, A, losing_carrier="Example Telephone", spid="901X")
    async with database.tenant(org_id) as session:
        order = await port_orders.get(session, new.id)
        numbers = await port_numbers.of_order(session, new.id)
    assert order is not None
    assert (order.status, order.sub_status) == ("waiting_for_signature", "validating")
    assert (order.port_type, order.customer_reference) == (PortType.FULL, "PO 7")
    assert (order.generation, order.revision, order.created_at) == (0, 1, NOON)
    assert port_orders.details_of(order) == DETAILS
    assert [(each.number, each.position, each.held) for each in numbers] == [
        (B, 0, True),
        (A, 1, True),
    ]
    payload = {"order_id": new.id, "fact": "submitted"}
    assert await outbox_of(database) == [(f"port:{new.id}", "port_changed", payload)]


async def test_a_number_is_in_one_order_that_has_not_ended(
    database: Database, org_id: str, other_org_id: str
) -> None:
    first = await placed(database, org_id, A, B)
    with pytest.raises(NumbersTaken, match=r"\+12025550101: in another") as own:
        await placed(database, org_id, C, A)
    with pytest.raises(NumbersTaken) as others:
        await placed(database, other_org_id, B, C, A)
    assert (own.value.numbers, own.value.orders) == ((A,), {A: first.id})
    assert (others.value.numbers, others.value.orders) == ((A, B), {}), "it says nothing of whose"
    # Nothing of a refused order is left.
    await placed(database, org_id, C)
    assert len(await outbox_of(database)) == 2


async def test_of_two_orders_at_once_one_has_the_number(
    database: Database, org_id: str, other_org_id: str
) -> None:
    made = await asyncio.gather(
        *(placed(database, each, A, B) for each in (org_id, other_org_id)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in made) == ["NewPortOrder", "NumbersTaken"]


async def test_a_number_twice_is_a_mistake_of_the_caller(database: Database, org_id: str) -> None:
    with pytest.raises(ValueError, match="twice"):
        await placed(database, org_id, A, A)


async def test_every_number_of_a_split_order_is_accounted_for(
    database: Database, org_id: str
) -> None:
    elsewhere = [
        NewPortNumber(
            number=A,
            type=NumberType.LANDLINE,
            status=NumberStatus.DROPPED,
            rejection=RejectionCode.SPLIT_REQUIRED,
        ),
        NewPortNumber(number=B, type=None, status=NumberStatus.FAILED),
    ]
    whole = an_order(org_id, numbers=elsewhere)
    part = an_order(org_id, A, parent_id=whole.id, at=NOON + MINUTE)
    async with database.tenant(org_id) as session:
        await port_orders.create(session, whole)
        await port_orders.create(session, part)
        assert [each.id for each in await port_orders.parts_of(session, whole.id)] == [part.id]
        numbers = await port_numbers.of_orders(session, [whole.id, part.id])
        assert [(each.number, each.held) for each in numbers[whole.id]] == [(A, False), (B, False)]
        assert numbers[whole.id][0].rejection == "split_required"
        assert [(each.number, each.held) for each in numbers[part.id]] == [(A, True)]
    with pytest.raises(NumbersTaken):
        await placed(database, org_id, A)


async def test_details_are_changed_by_who_read_the_newest(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A)
    changed = DETAILS.model_copy(update={"customer_name": "Acme Inc", "trunk_id": "trk_1"})
    later = NOON + MINUTE
    async with database.tenant(org_id) as session:
        assert (
            await port_orders.change_details(session, new.id, changed, revision=1, now=later) == 2
        )
        assert (
            await port_orders.change_details(session, new.id, DETAILS, revision=1, now=later)
            is None
        )
        assert (
            await port_orders.change_details(session, "port_none", DETAILS, revision=1, now=later)
            is None
        )
        order = await port_orders.get(session, new.id, for_update=True)
    assert order is not None
    assert port_orders.details_of(order) == changed
    assert (order.trunk_id, order.revision, order.updated_at) == ("trk_1", 2, later)


async def test_a_draft_holds_no_number_until_it_is_submitted(
    database: Database, org_id: str, other_org_id: str
) -> None:
    draft = await placed(database, org_id, A, sub_status=SubStatus.DRAFT)
    assert await outbox_of(database) == []
    theirs = await placed(database, other_org_id, A)
    async with database.tenant(org_id) as session:
        assert (
            await port_orders.change_draft(
                session, draft.id, DETAILS, an_order(org_id, B, C).numbers, revision=1, now=NOON
            )
            == 2
        )
        assert (
            await port_orders.change_draft(
                session, draft.id, DETAILS, an_order(org_id, A).numbers, revision=1, now=NOON
            )
            is None
        )
    async with database.tenant(org_id) as session:
        assert await port_orders.submit_draft(session, draft.id, now=NOON + MINUTE)
        assert not await port_orders.submit_draft(session, draft.id, now=NOON)
        order = await port_orders.get(session, draft.id)
        numbers = await port_numbers.of_order(session, draft.id)
        for order_id in (draft.id, theirs.id, "port_none"):
            assert not await port_orders.delete_draft(session, order_id)
            assert (
                await port_orders.change_draft(session, order_id, DETAILS, (), revision=2, now=NOON)
                is None
            )
    assert order is not None
    assert (order.sub_status, order.status) == ("validating", "waiting_for_signature")
    assert [(each.number, each.held) for each in numbers] == [(B, True), (C, True)]
    assert [each[0] for each in await outbox_of(database)] == [
        f"port:{theirs.id}",
        f"port:{draft.id}",
    ]


@pytest.mark.parametrize("own", [True, False])
async def test_a_draft_is_not_submitted_while_others_have_its_numbers(
    database: Database, org_id: str, other_org_id: str, own: bool
) -> None:
    draft = await placed(database, org_id, A, B, sub_status=SubStatus.DRAFT)
    other = await placed(database, org_id if own else other_org_id, B)
    with pytest.raises(NumbersTaken) as taken:
        async with database.tenant(org_id) as session:
            await port_orders.submit_draft(session, draft.id, now=NOON)
    assert taken.value.numbers == (B,)
    assert taken.value.orders == ({B: other.id} if own else {})
    async with database.tenant(org_id) as session:
        order = await port_orders.get(session, draft.id)
    assert order is not None
    assert order.sub_status is SubStatus.DRAFT


async def test_drafts_are_forgotten_by_who_made_them_or_by_time(
    database: Database, org_id: str
) -> None:
    made = [
        await placed(database, org_id, A, sub_status=SubStatus.DRAFT, at=NOON + count * MINUTE)
        for count in range(3)
    ]
    order = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        assert await port_orders.delete_draft(session, made[2].id)
        assert not await port_orders.delete_draft(session, made[2].id)
        with pytest.raises(RuntimeError):
            await port_orders.purge_drafts(session, untouched_since=NOON)
    async with database.system() as session:
        assert await port_orders.purge_drafts(session, untouched_since=NOON + MINUTE) == 1
        left = [
            each.id
            for each in await port_pages.page(session, PortFilter(include_drafts=True), limit=9)
        ]
    assert sorted(left) == sorted([made[1].id, order.id])


async def test_a_fact_is_told_in_the_stream_of_its_order(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        seq = await port_orders.tell(session, org_id, new.id, FactKind.LOA_SIGNED, letter=2)
    assert seq > 0
    _, told = await outbox_of(database)
    payload = {"order_id": new.id, "fact": "loa_signed", "letter": 2}
    assert told == (port_orders.stream_of(new.id), port_orders.PORT_CHANGED, payload)


async def test_orders_are_listed_by_what_is_wanted_page_by_page(
    database: Database, org_id: str, other_org_id: str
) -> None:
    await placed(database, other_org_id, "+12025550199")
    draft = await placed(database, org_id, A, sub_status=SubStatus.DRAFT)
    # Two at the same moment: the id decides.
    first, second = sorted(
        [await placed(database, org_id, A), await placed(database, org_id, B)],
        key=lambda each: each.id,
    )
    third = await placed(database, org_id, C, parent_id=first.id, at=NOON + MINUTE)
    async with database.tenant(org_id) as session:
        projected = a_projection(1, SubStatus.CANCELED, NumberStatus.CANCELED)
        assert await port_projection.project(session, third.id, projected)

        async def ids(limit: int | None = None, **fields: object) -> list[str]:
            wanted = PortFilter(**fields)  # type: ignore[arg-type]
            return [each.id for each in await port_pages.page(session, wanted, limit=limit)]

        assert await ids() == [third.id, second.id, first.id]
        assert (await ids(include_drafts=True))[0] == third.id
        assert await ids(status=PublicStatus.DRAFT) == [draft.id]
        assert await ids(status=PublicStatus.CANCELED) == [third.id]
        assert await ids(sub_status=SubStatus.VALIDATING) == [second.id, first.id]
        assert await ids(include_terminal=False) == [second.id, first.id]
        assert await ids(phone_number=C) == [third.id]
        assert await ids(updated_after=NOON) == [third.id]
        assert await ids(parent_id=first.id) == [third.id]
        assert await ids(phone_number="+12025550199") == []
        seen: list[str] = []
        before = None
        while found := await port_pages.page(session, PortFilter(), limit=2, before=before):
            seen += [each.id for each in found]
            before = (found[-1].created_at, found[-1].id)
    assert seen == [third.id, second.id, first.id]


async def test_nobody_sees_another_organizations_order(
    database: Database, org_id: str, other_org_id: str
) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(other_org_id) as session:
        assert await port_orders.get(session, new.id) is None
        assert await port_orders.get(session, new_id("port")) is None
        assert await port_numbers.of_order(session, new.id) == []
