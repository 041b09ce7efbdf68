"""What carriers said of numbers is known as long as it is young."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import portability, simulated_ports
from storage.engine import Database
from storage.portability import KnownResult
from tests.storage.factories import NOON

pytestmark = pytest.mark.postgres

A, B = "+12025550101", "+12025550102"
HOUR = timedelta(hours=1)


async def test_the_newest_answer_counts_as_long_as_it_is_young(
    database: Database, org_id: str
) -> None:
    async with database.tenant(org_id) as session:
        await portability.put_many(session, "sim", {}, now=NOON)
        for now, word in ((NOON, "old"), (NOON + HOUR, "new"), (NOON, "late")):
            await portability.put_many(session, "sim", {A: {"portability": word}}, now=now)
        await portability.put_many(session, "sim", {B: {"portability": "no"}}, now=NOON)
        found = await portability.get_many(session, "sim", [A, B], since=NOON + HOUR)
        assert found == {A: KnownResult({"portability": "new"}, NOON + HOUR)}
        assert set(await portability.get_many(session, "sim", [A, B], since=NOON)) == {A, B}
        assert await portability.get_many(session, "other", [A, B], since=NOON) == {}
        with pytest.raises(RuntimeError):
            await portability.purge(session, checked_before=NOON)
    async with database.system() as session:
        await portability.purge(session, checked_before=NOON + HOUR)
        assert set(await portability.get_many(session, "sim", [A, B], since=NOON)) == {A}


async def test_what_the_simulated_carrier_keeps_is_no_tenants_business(
    database: Database, org_id: str
) -> None:
    async with database.system() as session:
        assert await simulated_ports.place(session, "sim_1", "port_1", {"a": 1}, now=NOON)
        assert not await simulated_ports.place(session, "sim_1", "port_1", {}, now=NOON)
        row = await simulated_ports.get(session, "sim_1", for_update=True)
        assert row is not None
        await simulated_ports.save(session, row, {"a": 2}, webhook_at=NOON, now=NOON)
    async with database.system() as session:
        found = await simulated_ports.get_for_order(session, "port_1")
        assert found is not None
        assert found.state == {"a": 2}
        assert await simulated_ports.due(session, now=NOON - HOUR, limit=9) == []
        assert [
            each.order_id for each in await simulated_ports.due(session, now=NOON, limit=9)
        ] == ["port_1"]
        async with database.system() as other:
            assert await simulated_ports.due(other, now=NOON, limit=9) == []
        await simulated_ports.purge(session, untouched_since=NOON)
        assert await simulated_ports.get_for_order(session, "port_1") is not None
        await simulated_ports.purge(session, untouched_since=NOON + HOUR)
        assert await simulated_ports.get_for_order(session, "port_1") is None
    async with database.tenant(org_id) as session:
        with pytest.raises(RuntimeError):
            await simulated_ports.get(session, "sim_1")


async def test_the_database_itself_keeps_tenants_from_the_simulated_carrier(
    database: Database, org_id: str
) -> None:
    async with database.system() as session:
        assert await simulated_ports.place(session, "sim_1", "port_1", {}, now=NOON)
    async with database.tenant(org_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM simulated_ports")) == 0
