"""Ten test calls in fifteen minutes for each organization, and what a client is told of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from api.services.rate_limits import limit_headers
from settings import Settings
from storage.calls import Usage
from storage.engine import Database
from storage.tables import Call
from tests.api.calling import Caller
from tests.api.counting import code
from tests.api.outbound import NUMBER, add_outbound
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


def limits(answer: httpx.Response) -> tuple[int, int, int]:
    """Limit, what remains, and seconds until the reset."""
    limit, remaining, reset = (
        int(answer.headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
    )
    return limit, remaining, reset


@pytest.mark.temporal
async def test_every_answer_says_what_is_left_and_the_eleventh_when_to_come_again(
    caller: Caller,
) -> None:
    for number in range(10):
        answer = await caller.place()
        assert answer.status_code == 200
        limit, remaining, reset = limits(answer)
        assert (limit, remaining) == (10, 9 - number)
        assert 890 <= reset <= 900

    refused = await caller.place()

    assert (refused.status_code, code(refused)) == (429, "RATE_LIMITED")
    limit, remaining, reset = limits(refused)
    assert (limit, remaining) == (10, 0)
    assert reset == int(refused.headers["Retry-After"])
    assert 880 <= reset <= 900
    assert "10 test calls in 15 minutes" in refused.text


@pytest.mark.temporal
async def test_when_the_first_call_leaves_the_window_one_more_fits(caller: Caller) -> None:
    caller.change_settings(test_calls_per_window=2)
    first = await caller.placed()
    await caller.placed()
    assert (await caller.place()).status_code == 429
    async with caller.database.tenant(caller.tenant.org_id) as session:
        await session.execute(
            update(Call).where(col(Call.id) == first).values(started_at=datetime.now(UTC) - WINDOW)
        )

    assert (await caller.place()).status_code == 200
    assert (await caller.place()).status_code == 429


@pytest.mark.temporal
async def test_of_fifty_requests_at_once_exactly_ten_are_admitted(caller: Caller) -> None:
    async def place() -> httpx.Response:
        """As a client that comes again when a busy machine asks it to."""
        while (answer := await caller.place()).status_code == 503:
            assert answer.headers["Retry-After"]
        return answer

    answers = await asyncio.gather(*(place() for _ in range(50)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 10 + [429] * 40
    admitted = [answer for answer in answers if answer.status_code == 200]
    assert sorted(limits(answer)[1] for answer in admitted) == list(range(10))
    assert all("Retry-After" in each.headers for each in answers if each.status_code == 429)
    async with caller.database.tenant(caller.tenant.org_id) as session:
        assert await session.scalar(select(func.count()).select_from(Call)) == 10


@pytest.mark.temporal
async def test_another_organization_has_a_window_of_its_own(
    caller: Caller, other_tenant: Tenant, settings: Settings
) -> None:
    caller.change_settings(test_calls_per_window=1)
    await add_outbound(caller.database, settings, other_tenant.org_id)
    await caller.placed()

    answer = await caller.client.post(
        "/v1/sip/test-call", json={"phone_number": NUMBER}, headers=other_tenant.editor
    )

    assert answer.status_code == 200


async def test_a_call_that_could_not_be_started_counts(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    await add_outbound(database, settings, tenant.org_id)

    async def place() -> httpx.Response:
        return await client.post(
            "/v1/sip/test-call", json={"phone_number": NUMBER}, headers=tenant.editor
        )

    answers = [await place() for _ in range(11)]

    assert [answer.status_code for answer in answers] == [503] * 10 + [429]


async def test_a_refusal_for_another_reason_does_not_count(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    for _ in range(11):
        answer = await client.post(
            "/v1/sip/test-call", json={"phone_number": NUMBER}, headers=tenant.editor
        )
        assert code(answer) == "NO_OUTBOUND_CONFIG"


@pytest.mark.parametrize(
    ("usage", "remaining", "reset"),
    [
        (Usage(1, 10, NOW + WINDOW), 9, 900),
        (Usage(10, 10, NOW + timedelta(seconds=0.2)), 0, 1),
        (Usage(0, 10, NOW), 10, 0),
        (Usage(12, 10, NOW - timedelta(seconds=5)), 0, 0),
    ],
)
def test_headers_are_whole_numbers_that_never_promise_too_much(
    usage: Usage, remaining: int, reset: int
) -> None:
    assert limit_headers(usage, now=NOW) == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(reset),
    }
