"""Routes are published once a generation; drills are open until their first end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.engine import Database
from storage.ids import new_id
from storage.trunk_routes import (
    NewDrill,
    drill_of,
    drills_of,
    end_drill,
    open_drills,
    publish,
    report_drill,
    route_of,
    start_drill,
)
from tests.storage.factories import NOON
from tests.storage.health_rows import add_trunk, rows

pytestmark = pytest.mark.postgres

LATER = NOON + timedelta(seconds=30)


@pytest.fixture
async def trunk_id(database: Database, org_id: str) -> str:
    return await add_trunk(database, org_id)


async def test_a_route_is_published_once_and_never_an_older_one(
    database: Database, org_id: str, trunk_id: str
) -> None:
    async with database.tenant(org_id) as session:
        assert await route_of(session, org_id, trunk_id) is None
        assert await publish(session, org_id, trunk_id, 2, {"why": ["a\x00"]}, now=NOON)
        assert not await publish(session, org_id, trunk_id, 2, {"why": ["b"]}, now=LATER)
        assert not await publish(session, org_id, trunk_id, 1, {"why": ["c"]}, now=LATER)
        found = await route_of(session, org_id, trunk_id)
        assert found is not None
        assert (found.generation, found.route, found.changed_at) == (2, {"why": ["a\ufffd"]}, NOON)
        assert await publish(session, org_id, trunk_id, 3, {}, now=LATER)
        found = await route_of(session, org_id, trunk_id)
        assert found is not None
        assert (found.generation, found.route, found.changed_at) == (3, {}, LATER)


async def test_a_trunk_that_is_gone_has_no_route(
    database: Database, org_id: str, other_org_id: str, trunk_id: str
) -> None:
    async with database.tenant(other_org_id) as session:
        assert not await publish(session, other_org_id, trunk_id, 1, {}, now=NOON)
    async with database.tenant(org_id) as session:
        await publish(session, org_id, trunk_id, 1, {}, now=NOON)
    await rows(database, "DELETE FROM trunks RETURNING id")
    async with database.tenant(org_id) as session:
        assert await route_of(session, org_id, trunk_id) is None
        assert not await publish(session, org_id, trunk_id, 2, {}, now=NOON)


def a_drill(org_id: str, trunk_id: str, minutes: int = 0) -> NewDrill:
    return NewDrill(
        id=new_id("drl"),
        org_id=org_id,
        trunk_id=trunk_id,
        number="+14155550100",
        seconds=60,
        started_at=NOON + timedelta(minutes=minutes),
    )


async def test_a_drill_is_open_until_its_first_end(
    database: Database, org_id: str, trunk_id: str
) -> None:
    new = a_drill(org_id, trunk_id)
    async with database.tenant(org_id) as session:
        await start_drill(session, new)
        await start_drill(session, new)
        assert await open_drills(session, org_id, trunk_id) == (new.id,)
        await report_drill(session, org_id, new.id, {"detected_ms": 12})
        assert await end_drill(
            session, org_id, new.id, state="completed", ended_at=LATER, report={"detected_ms": 13}
        )
        assert not await end_drill(session, org_id, new.id, state="aborted", ended_at=LATER)
        assert await open_drills(session, org_id, trunk_id) == ()
        drill = await drill_of(session, org_id, new.id)
    assert drill is not None
    assert (drill.state, drill.ended_at, drill.report) == ("completed", LATER, {"detected_ms": 13})
    assert (drill.number, drill.seconds) == ("+14155550100", 60)


async def test_an_end_without_a_report_keeps_the_one_there(
    database: Database, org_id: str, trunk_id: str
) -> None:
    new = a_drill(org_id, trunk_id)
    async with database.tenant(org_id) as session:
        await start_drill(session, new)
        await report_drill(session, org_id, new.id, {"detected_ms": 12})
        await end_drill(session, org_id, new.id, state="aborted", ended_at=LATER)
        drill = await drill_of(session, org_id, new.id)
    assert drill is not None
    assert drill.report == {"detected_ms": 12}


async def test_drills_are_listed_newest_first_and_are_their_organizations(
    database: Database, org_id: str, other_org_id: str, trunk_id: str
) -> None:
    new = [a_drill(org_id, trunk_id, minutes) for minutes in (1, 3, 2)]
    async with database.tenant(org_id) as session:
        for each in new:
            await start_drill(session, each)
        listed = await drills_of(session, org_id, trunk_id, limit=2)
        assert await open_drills(session, org_id, trunk_id) == (new[0].id, new[2].id, new[1].id)
    assert [each.id for each in listed] == [new[1].id, new[2].id]
    async with database.tenant(other_org_id) as session:
        assert await drill_of(session, other_org_id, new[0].id) is None
        assert not await end_drill(session, other_org_id, new[0].id, state="x", ended_at=LATER)
