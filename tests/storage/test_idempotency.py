"""A mutation that is sent again is answered again, not done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from storage import idempotency
from storage.engine import Database
from storage.idempotency import Claim, Claimed, InProgress, KeyReused, Replay
from tests.storage.factories import NOON
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

DAY = timedelta(hours=24)


@pytest.fixture
def request_of(org_id: str) -> Claim:
    return Claim(
        org_id=org_id,
        key="7b3f",
        method="POST",
        path="/v1/sip/attach",
        request_hash=b"\x01" * 32,
    )


async def claim(
    database: Database, request: Claim, at: datetime = NOON
) -> Claimed | InProgress | KeyReused | Replay:
    async with database.tenant(request.org_id) as session:
        return await idempotency.claim(session, request, now=at)


async def won(database: Database, request: Claim, at: datetime = NOON) -> Claimed:
    claimed = await claim(database, request, at)
    assert isinstance(claimed, Claimed)
    return claimed


async def finish(database: Database, claimed: Claimed, body: bytes = b"sealed") -> bool:
    async with database.tenant(claimed.request.org_id) as session:
        return await idempotency.finish(
            session,
            claimed,
            status=201,
            headers={"content-type": "application/json"},
            response_sealed=body,
        )


async def test_a_finished_request_is_replayed(database: Database, request_of: Claim) -> None:
    assert await finish(database, await won(database, request_of))
    again = await claim(database, request_of, NOON + timedelta(hours=1))
    assert again == Replay(201, {"content-type": "application/json"}, b"sealed")
    assert b"sealed" not in repr(again).encode()


async def test_a_request_under_way_is_not_done_twice(database: Database, request_of: Claim) -> None:
    await won(database, request_of)
    assert await claim(database, request_of) == InProgress()


async def test_of_many_at_once_one_is_done(database_urls: TestDatabase, request_of: Claim) -> None:
    database = Database(database_urls.app_url, pool_size=30)
    outcomes = await asyncio.gather(*(claim(database, request_of) for _ in range(30)))
    assert sum(isinstance(outcome, Claimed) for outcome in outcomes) == 1
    assert outcomes.count(InProgress()) == 29
    await database.dispose()


@pytest.mark.parametrize("state", ["running", "done"])
@pytest.mark.parametrize(
    "other",
    [
        lambda request: replace(request, method="PUT"),
        lambda request: replace(request, path="/v1/sip/detach"),
        lambda request: replace(request, request_hash=b"\x02" * 32),
    ],
)
async def test_a_key_used_for_another_request_is_refused(
    database: Database, request_of: Claim, state: str, other: Callable[[Claim], Claim]
) -> None:
    claimed = await won(database, request_of)
    if state == "done":
        await finish(database, claimed)
    assert await claim(database, other(request_of), NOON + timedelta(minutes=5)) == KeyReused()


async def test_the_same_key_of_another_organization_is_another_key(
    database: Database, request_of: Claim, other_org_id: str
) -> None:
    await won(database, request_of)
    await won(database, replace(request_of, org_id=other_org_id))


async def test_a_released_key_is_free(database: Database, request_of: Claim) -> None:
    claimed = await won(database, request_of)
    async with database.tenant(request_of.org_id) as session:
        await idempotency.release(session, claimed)
    await won(database, request_of)


async def test_an_answer_is_not_released(database: Database, request_of: Claim) -> None:
    claimed = await won(database, request_of)
    await finish(database, claimed)
    async with database.tenant(request_of.org_id) as session:
        await idempotency.release(session, claimed)
    assert isinstance(await claim(database, request_of), Replay)


async def test_an_abandoned_claim_is_taken_over_and_its_late_answer_dropped(
    database: Database, request_of: Claim
) -> None:
    dead = await won(database, request_of)
    limit = NOON + timedelta(minutes=2)
    assert await claim(database, request_of, limit - timedelta(microseconds=1)) == InProgress()
    heir = await won(database, request_of, limit)
    assert not await finish(database, dead, b"late")
    assert await claim(database, request_of, limit) == InProgress()
    assert await finish(database, heir, b"right")
    assert not await finish(database, heir, b"twice")
    replayed = await claim(database, request_of, limit)
    assert isinstance(replayed, Replay)
    assert replayed.response_sealed == b"right"


async def test_a_key_is_free_again_after_a_day(database: Database, request_of: Claim) -> None:
    await finish(database, await won(database, request_of))
    other = replace(request_of, path="/v1/sip/detach")
    assert await claim(database, other, NOON + DAY - timedelta(microseconds=1)) == KeyReused()
    fresh = await won(database, other, NOON + DAY)
    assert await finish(database, fresh)
    assert isinstance(await claim(database, other, NOON + DAY), Replay)


async def test_old_keys_are_deleted(database: Database, request_of: Claim) -> None:
    await finish(database, await won(database, request_of))
    await won(database, replace(request_of, key="newer"), NOON + timedelta(hours=1))
    async with database.system() as session:
        assert await idempotency.expire(session, now=NOON + DAY) == 1
        assert await idempotency.expire(session, now=NOON + DAY) == 0
    async with database.tenant(request_of.org_id) as session:
        with pytest.raises(RuntimeError, match="system"):
            await idempotency.expire(session, now=NOON)
