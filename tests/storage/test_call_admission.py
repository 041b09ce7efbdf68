"""So many test calls within a sliding window, exactly."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.call_state import CallResult, CallStatus
from storage import calls
from storage.calls import Admitted, Limited, Usage
from storage.engine import Database
from storage.tables import Call, CallDirection, CallKind
from tests.storage.factories import NOON, a_test_call, add_organization
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

WINDOW = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


async def admit(
    database: Database, org_id: str, *, at: datetime = NOON, limit: int = 10
) -> Admitted | Limited:
    async with database.tenant(org_id) as session:
        return await calls.admit(session, a_test_call(org_id, at=at), limit=limit, window=WINDOW)


async def test_an_admitted_call_waits_with_everything_that_was_said_of_it(
    database: Database, org_id: str
) -> None:
    parent = a_test_call(org_id)
    retry = a_test_call(org_id, parent_id=parent.id, variant="plus")
    async with database.tenant(org_id) as session:
        first = await calls.admit(session, parent, limit=10, window=WINDOW)
        second = await calls.admit(session, retry, limit=10, window=WINDOW)
    assert first == Admitted(1, 10, NOON + WINDOW)
    assert second == Admitted(2, 10, NOON + WINDOW)
    async with database.tenant(org_id) as session:
        found = await calls.get(session, retry.id)
        assert await calls.get_test(session, retry.id) is found
    assert found is not None
    assert (found.kind, found.direction) == (CallKind.TEST, CallDirection.OUTBOUND)
    assert (found.status, found.result) == (CallStatus.QUEUED, CallResult.PENDING)
    assert (found.number, found.trunk_id) == (retry.number, retry.trunk_id)
    assert (found.parent_id, found.variant) == (parent.id, "plus")
    assert (found.started_at, found.deadline_at) == (retry.started_at, retry.deadline_at)
    assert (found.workflow_id, found.requested_by) == (retry.workflow_id, retry.requested_by)
    assert found.details == {"settings": retry.settings}
    assert (found.ended_at, found.snapshot, found.hang_up_at) == (None, None, None)


async def test_the_eleventh_call_is_refused_until_the_first_leaves_the_window(
    database: Database, org_id: str
) -> None:
    for minute in range(10):
        outcome = await admit(database, org_id, at=NOON + minute * MINUTE)
        assert outcome == Admitted(minute + 1, 10, NOON + WINDOW)

    refused = await admit(database, org_id, at=NOON + 12 * MINUTE)
    assert refused == Limited(10, 10, NOON + WINDOW, retry_after=3 * MINUTE)
    just_before = NOON + WINDOW - timedelta(microseconds=1)
    assert isinstance(await admit(database, org_id, at=just_before), Limited)
    # From here on the second one is the first of the window.
    allowed = await admit(database, org_id, at=NOON + WINDOW)
    assert allowed == Admitted(10, 10, NOON + MINUTE + WINDOW)
    assert isinstance(await admit(database, org_id, at=NOON + WINDOW), Limited)


async def test_a_refused_call_leaves_no_row_and_does_not_count(
    database: Database, org_id: str
) -> None:
    await admit(database, org_id, limit=1)
    new = a_test_call(org_id)
    async with database.tenant(org_id) as session:
        assert isinstance(await calls.admit(session, new, limit=1, window=WINDOW), Limited)
    async with database.tenant(org_id) as session:
        assert await calls.get(session, new.id) is None
        used = await calls.usage(session, org_id, now=NOON, limit=1, window=WINDOW)
    assert used == Usage(1, 1, NOON + WINDOW)


async def test_an_ended_call_still_counts(database: Database, org_id: str) -> None:
    new = a_test_call(org_id)
    async with database.tenant(org_id) as session:
        await calls.admit(session, new, limit=1, window=WINDOW)
        await calls.conclude(
            session,
            new.id,
            status=CallStatus.FAILED,
            result=CallResult.FAILED,
            ended_at=NOON,
        )
    assert isinstance(await admit(database, org_id, limit=1), Limited)


async def test_organizations_do_not_use_up_each_others_windows(
    database: Database, org_id: str, other_org_id: str
) -> None:
    assert isinstance(await admit(database, org_id, limit=1), Admitted)
    assert isinstance(await admit(database, other_org_id, limit=1), Admitted)
    async with database.system() as session:
        own = await calls.admit(session, a_test_call(org_id), limit=1, window=WINDOW)
    assert isinstance(own, Limited)


async def test_live_calls_do_not_count(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        session.add(
            Call(
                id="call_live",
                org_id=org_id,
                kind=CallKind.LIVE,
                number="+14155550100",
                direction=CallDirection.OUTBOUND,
                status=CallStatus.COMPLETED,
                result=CallResult.CONNECTED,
                started_at=NOON,
            )
        )
    assert await admit(database, org_id, limit=1) == Admitted(1, 1, NOON + WINDOW)
    async with database.tenant(org_id) as session:
        assert await calls.get(session, "call_live") is not None
        assert await calls.get_test(session, "call_live") is None


async def test_a_lowered_limit_waits_for_as_many_as_it_takes(
    database: Database, org_id: str
) -> None:
    for minute in range(5):
        await admit(database, org_id, at=NOON + minute * MINUTE)
    # With two allowed, the fourth of five has to leave the window.
    refused = await admit(database, org_id, at=NOON + 5 * MINUTE, limit=2)
    assert refused == Limited(2, 2, NOON + 3 * MINUTE + WINDOW, retry_after=13 * MINUTE)
    assert isinstance(await admit(database, org_id, at=NOON + 18 * MINUTE, limit=2), Admitted)


async def test_an_unused_window_resets_now(database: Database, org_id: str) -> None:
    async with database.tenant(org_id) as session:
        used = await calls.usage(session, org_id, now=NOON, limit=10, window=WINDOW)
    assert used == Usage(0, 10, NOON)


async def test_of_fifty_at_once_exactly_ten_are_admitted(
    database_urls: TestDatabase, org_id: str
) -> None:
    database = Database(database_urls.app_url, pool_size=50)
    # Their clocks differ by less than the window, in no order.
    outcomes = await asyncio.gather(
        *(
            admit(database, org_id, at=NOON + timedelta(milliseconds=(n * 37) % 50))
            for n in range(50)
        )
    )
    admitted = [outcome.used for outcome in outcomes if isinstance(outcome, Admitted)]
    assert sorted(admitted) == list(range(1, 11))
    async with database.tenant(org_id) as session:
        used = await calls.usage(session, org_id, now=NOON + WINDOW / 2, limit=99, window=WINDOW)
    assert used.used == 10
    await database.dispose()


async def test_a_limit_below_one_is_a_mistake(database: Database, org_id: str) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await admit(database, org_id, limit=0)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.integers(min_value=0, max_value=400), min_size=1, max_size=25),
    limit=st.integers(min_value=1, max_value=4),
)
async def test_no_window_ever_holds_more_and_none_is_refused_with_room(
    database: Database, steps: list[int], limit: int
) -> None:
    org_id = await add_organization(database)
    now, starts = NOON, list[datetime]()
    for step in steps:
        now += timedelta(seconds=step)
        outcome = await admit(database, org_id, at=now, limit=limit)
        inside = [start for start in starts if start > now - WINDOW]
        assert isinstance(outcome, Admitted) == (len(inside) < limit)
        if isinstance(outcome, Limited):
            assert outcome.retry_after == inside[-limit] + WINDOW - now > timedelta(0)
        else:
            starts.append(now)
            assert outcome.used == len(inside) + 1 <= limit
