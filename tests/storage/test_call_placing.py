"""A test call is taken to be placed once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.call_state import CallResult, CallStatus
from storage import calls
from storage.call_placing import take
from storage.engine import Database
from storage.tables import Call
from tests.storage.factories import NOON, add_organization, queued_call

pytestmark = pytest.mark.postgres


async def test_a_queued_call_is_taken_and_initiated(database: Database) -> None:
    org_id = await add_organization(database)
    queued = await queued_call(database, org_id)
    async with database.tenant(org_id) as session:
        taken = await take(session, queued.id)
    assert taken is not None
    assert (taken.id, taken.status) == (queued.id, CallStatus.INITIATED)
    assert taken.details == queued.details


async def test_of_many_who_take_a_call_at_once_one_gets_it(database: Database) -> None:
    org_id = await add_organization(database)
    queued = await queued_call(database, org_id)

    async def taking() -> Call | None:
        async with database.tenant(org_id) as session:
            return await take(session, queued.id)

    taken = await asyncio.gather(*(taking() for _ in range(8)))
    assert [each.id for each in taken if each is not None] == [queued.id]


async def test_an_ended_call_is_not_taken(database: Database) -> None:
    org_id = await add_organization(database)
    queued = await queued_call(database, org_id)
    async with database.tenant(org_id) as session:
        await calls.conclude(
            session,
            queued.id,
            status=CallStatus.FAILED,
            result=CallResult.FAILED,
            ended_at=NOON + timedelta(seconds=1),
        )
        assert await take(session, queued.id) is None


async def test_another_organizations_call_is_not_taken(database: Database) -> None:
    queued = await queued_call(database, await add_organization(database))
    async with database.tenant(await add_organization(database)) as session:
        assert await take(session, queued.id) is None
