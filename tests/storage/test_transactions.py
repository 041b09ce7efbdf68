"""Whether a transaction was committed whose answer never came."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from storage.engine import Database
from storage.transactions import number_of, was_committed

pytestmark = pytest.mark.postgres


async def fate(database: Database, number: int) -> bool | None:
    async with database.system() as session:
        return await was_committed(session, number)


async def test_the_fate_of_a_transaction_is_known_from_another(database: Database) -> None:
    async with database.system() as session:
        committed = await number_of(session)
        assert await number_of(session) == committed
        assert await fate(database, committed) is None
    async with database.system() as session:
        undone = await number_of(session)
        await session.execute(text("SELECT 1"))
        await session.rollback()
    assert await fate(database, committed) is True
    assert await fate(database, undone) is False
    assert await fate(database, 0) is False
