"""What ended calls say of their trunk is noted with their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import text

from domain.failover_picture import CallSign
from sip.call_facts import CallFacts, StopCause, TargetOutcome
from sip.dialog_state import FailureCause
from sip.transports import Transport
from storage.engine import Database
from storage.health_observations import TrunkCall, calls_of_trunk
from storage.secret_box import SecretBox, generate_key
from storage.tables import Call
from tests.domain.calls import answered, refused, target, unanswered
from tests.storage.call_steps import end
from tests.storage.factories import NOON, queued_call
from tests.storage.failover_trunks import FailoverTrunk, add_failover_trunk, watch

pytestmark = pytest.mark.postgres

A, B = "192.0.2.1", "192.0.2.2"
LONG_AGO = NOON - timedelta(hours=1)
FACTS = TypeAdapter(CallFacts)


@pytest.fixture
async def trunk(database: Database, org_id: str) -> FailoverTrunk:
    box = SecretBox.from_key_ring(generate_key("a"))
    made = await add_failover_trunk(database, box, org_id, A, B)
    await watch(database, made)
    return made


async def call_by(database: Database, trunk: FailoverTrunk, host: str = A, **fields: Any) -> Call:
    """A call that was placed by the trunk's endpoint."""
    settings = {"host": host, "port": 5060, "callee": "100"}
    return await queued_call(
        database, trunk.org_id, trunk_id=trunk.trunk_id, settings=settings, **fields
    )


async def ended_with(database: Database, call: Call, facts: CallFacts) -> bool:
    details = {"facts": FACTS.dump_python(facts, mode="json")}
    async with database.tenant(call.org_id) as session:
        return await end(session, call.id, details=details)


async def seen(database: Database, trunk: FailoverTrunk) -> list[TrunkCall]:
    async with database.tenant(trunk.org_id) as session:
        return await calls_of_trunk(session, trunk.trunk_id, since=LONG_AGO, limit=10)


async def nudges(database: Database, trunk: FailoverTrunk) -> int:
    """Entries of the outbox that make the trunk look."""
    async with database.system() as session:
        found = await session.scalar(
            text(
                "SELECT count(*) FROM outbox WHERE kind = 'trunk_facts' "
                "AND payload->>'trunk_id' = :trunk_id"
            ),
            {"trunk_id": trunk.trunk_id},
        )
    return int(found or 0)


async def targets(database: Database, trunk: FailoverTrunk) -> list[tuple[str | None, str]]:
    """Addresses of the watched targets that calls were noted for, and what was seen of them."""
    async with database.system() as session:
        found = await session.execute(
            text(
                "SELECT t.address, o.kind FROM health_observations o "
                "LEFT JOIN health_targets t ON t.id = o.target_id "
                "WHERE o.trunk_id = :trunk_id ORDER BY o.id"
            ),
            {"trunk_id": trunk.trunk_id},
        )
        return [(row.address, row.kind) for row in found]


async def test_a_refused_call_is_noted_for_its_endpoint_and_its_target(
    database: Database, trunk: FailoverTrunk
) -> None:
    facts = replace(refused(503), targets=(target(address=A),))
    assert await ended_with(database, await call_by(database, trunk), facts)

    (noted,) = await seen(database, trunk)
    assert (noted.host, noted.port, noted.transport) == (A, 5060, None)
    assert (noted.sign, noted.status, noted.at) == (
        CallSign.UNREACHABLE,
        503,
        NOON + timedelta(seconds=8),
    )
    # The endpoint names no transport, so what is watched there was resolved, and A is over UDP.
    assert await targets(database, trunk) == [(A, "call")]
    assert await nudges(database, trunk) == 1


async def test_every_address_that_was_tried_is_noted(
    database: Database, trunk: FailoverTrunk
) -> None:
    first = target(outcome=TargetOutcome.REFUSED, address="192.0.2.9")
    facts = replace(answered(), targets=(first, target(address=A)))
    await ended_with(database, await call_by(database, trunk), facts)

    assert [each.sign for each in await seen(database, trunk)] == ["tried", "alive"]
    assert await targets(database, trunk) == [(None, "refused"), (A, "call")]


async def test_an_end_that_is_repeated_is_noted_once(
    database: Database, trunk: FailoverTrunk
) -> None:
    call = await call_by(database, trunk)
    assert await ended_with(database, call, answered())
    assert not await ended_with(database, call, answered())
    assert len(await seen(database, trunk)) == 1


async def test_what_says_nothing_of_the_trunk_is_not_noted(
    database: Database, trunk: FailoverTrunk
) -> None:
    hung_up = unanswered(FailureCause.CANCELLED, facts={"stopped": StopCause.HANG_UP})
    await ended_with(database, await call_by(database, trunk), hung_up)
    parent = await call_by(database, trunk)
    variant = await call_by(database, trunk, parent_id=parent.id, variant="e164")
    await ended_with(database, variant, refused(503))
    async with database.tenant(trunk.org_id) as session:
        assert await end(session, (await call_by(database, trunk)).id)

    assert await seen(database, trunk) == []
    assert await nudges(database, trunk) == 0


async def test_an_end_that_is_rolled_back_leaves_nothing(
    database: Database, trunk: FailoverTrunk
) -> None:
    call = await call_by(database, trunk)
    details = {"facts": FACTS.dump_python(refused(503), mode="json")}
    async with database.tenant(trunk.org_id) as session:
        assert await end(session, call.id, details=details)
        await session.rollback()
    assert await seen(database, trunk) == []


async def test_the_calls_transport_is_the_endpoints(
    database: Database, trunk: FailoverTrunk
) -> None:
    settings = {"host": A, "port": 5061, "transport": "tls", "callee": "100"}
    call = await queued_call(database, trunk.org_id, trunk_id=trunk.trunk_id, settings=settings)
    await ended_with(database, call, answered())
    (noted,) = await seen(database, trunk)
    assert (noted.port, noted.transport) == (5061, Transport.TLS)
