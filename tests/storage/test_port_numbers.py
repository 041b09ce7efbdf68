"""What is noted of a number beside its status, and the first call that proves that it came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.porting.words import NumberStatus, SubStatus
from storage import port_numbers, port_projection
from storage.engine import Database
from storage.tables import CallDirection, LiveCallRow
from tests.storage.factories import NOON
from tests.storage.live_rows import a_live_call, write_live
from tests.storage.port_rows import a_projection, placed

pytestmark = pytest.mark.postgres

A, B, C = "+12025550101", "+12025550102", "+12025550103"
MINUTE = timedelta(minutes=1)


async def test_the_carriers_word_is_kept_whatever_it_is(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A, B)
    async with database.tenant(org_id) as session:
        for words in ({A: "manual\x00", B: "pending"}, {A: "Concurred"}, {A: "Concurred"}, {}):
            await port_numbers.note_raw(session, new.id, words)
        numbers = await port_numbers.of_order(session, new.id)
    assert [each.carrier_status_raw for each in numbers] == ["Concurred", "pending"]


async def test_the_first_time_counts(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A, B)
    async with database.tenant(org_id) as session:
        await port_numbers.note_attached(session, new.id, [A], at=NOON)
        await port_numbers.note_attached(session, new.id, [A, B], at=NOON + MINUTE)
        await port_numbers.note_called(session, new.id, {A: NOON + MINUTE})
        await port_numbers.note_called(session, new.id, {A: NOON + 2 * MINUTE, C: NOON})
        numbers = await port_numbers.of_order(session, new.id)
    assert [each.attached_at for each in numbers] == [NOON, NOON + MINUTE]
    assert [each.first_inbound_at for each in numbers] == [NOON + MINUTE, None]


async def test_numbers_that_came_and_were_not_called_are_looked_for(
    database: Database, org_id: str, other_org_id: str
) -> None:
    mine, theirs = await placed(database, org_id, A, B), await placed(database, other_org_id, C)
    ported = a_projection(1, SubStatus.VERIFYING, NumberStatus.PORTED, NumberStatus.ACTIVATING)
    async with database.system() as session:
        for order in (mine, theirs):
            assert await port_projection.project(session, order.id, ported)
        found = await port_numbers.uncalled(session, limit=9)
        assert [(each.order_id, each.number) for each in found] == [(mine.id, A), (theirs.id, C)]
        assert len(await port_numbers.uncalled(session, limit=1)) == 1
        await port_numbers.note_called(session, mine.id, {A: NOON})
        ended = a_projection(2, SubStatus.COMPLETED, NumberStatus.PORTED)
        assert await port_projection.project(session, theirs.id, ended)
        assert await port_numbers.uncalled(session, limit=9) == []


async def test_the_first_inbound_call_since_a_moment(
    database: Database, org_id: str, other_org_id: str
) -> None:
    def call(number: str, minutes: int, *, whose: str = org_id, **fields: Any) -> LiveCallRow:
        at = NOON + minutes * MINUTE
        values = {"number": number, "direction": CallDirection.INBOUND, "started_at": at}
        return a_live_call(whose, at=at, **(values | fields))

    calls = [
        call(A, -5),
        call(A, 9),
        call(A, 4),
        call(B.removeprefix("+"), 3),
        call(B, 6),
        call(C, 2, direction=CallDirection.OUTBOUND),
        call(C, 1, whose=other_org_id),
    ]
    await write_live(database, calls)
    async with database.tenant(org_id) as session:
        found = await port_numbers.first_calls(session, org_id, [A, B, C], since=NOON)
        assert await port_numbers.first_calls(session, org_id, [A], since=NOON + 10 * MINUTE) == {}
        rows = await session.scalar(text("SELECT count(*) FROM live_calls"))
    assert found == {A: NOON + 4 * MINUTE, B: NOON + 3 * MINUTE}
    assert rows == 6
