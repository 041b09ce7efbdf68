"""Captured messages become calls with owners, and rows that change with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.trunk import Direction
from storage.engine import Database
from storage.tables import CallDirection, CallMatch, LiveCallRow
from storage.tables.live_call import NOBODYS
from tests.capture.collecting import (
    CALLEES_NUMBER,
    CALLERS_NUMBER,
    Station,
    messages_of,
    only_row,
    rows_of,
    sent,
)
from tests.domain.live_traffic import (
    CALLEE,
    CALLER,
    OTHER,
    PROXY,
    START,
    Traffic,
    normal_call,
)
from tests.storage.factories import add_organization
from tests.storage.health_rows import add_trunk
from tests.storage.owned_numbers import bind, leads_to

pytestmark = pytest.mark.postgres


async def test_a_proxied_call_becomes_one_row_with_its_owner_and_its_messages(
    database: Database, org_id: str, trunk_id: str
) -> None:
    traffic = normal_call(length=30_000)
    station = Station(database, now=START + timedelta(seconds=40))
    await station.sees(traffic.messages)

    row = await only_row(database)
    assert (row.org_id, row.trunk_id, row.number) == (org_id, trunk_id, CALLERS_NUMBER)
    assert (row.direction, row.match) == (CallDirection.OUTBOUND, CallMatch.MATCHED)
    assert (row.from_user, row.to_user) == (CALLERS_NUMBER, CALLEES_NUMBER)
    assert (row.ended, row.sip_code, row.sip_reason) == (True, 200, "OK")
    assert (row.source_ip, row.started_at, row.at) == (CALLER[0], START, START)
    assert (row.pdd_ms, row.duration_ms) == (1001, 30_000)
    assert (row.codecs, row.retransmissions) == (["PCMA"], 0)
    assert (row.details["hung_up_by"], row.details["transport"]) == ("caller", "UDP")
    assert row.details["destination"] == list(CALLEE)
    assert row.messages == len(traffic.messages)
    assert row.state is None
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent(traffic.messages)
    assert [each.at for each in messages] == [each.at for each in traffic.messages]
    assert {each.org_id for each in messages} == {org_id}
    first = messages[0]
    assert (first.local_address, first.remote_address) == (CALLER[0], PROXY[0])
    assert (first.transport, first.retransmission) == ("udp", False)


async def test_a_call_that_comes_in_is_its_callees(database: Database, org_id: str) -> None:
    trunk_id = await add_trunk(database, org_id)
    await bind(database, org_id, trunk_id, CALLEES_NUMBER, Direction.INBOUND)
    await Station(database).sees(normal_call().messages[:3])
    row = await only_row(database)
    assert (row.org_id, row.direction, row.number) == (
        org_id,
        CallDirection.INBOUND,
        CALLEES_NUMBER,
    )
    assert not row.ended


async def test_a_row_changes_with_its_call(database: Database, org_id: str, trunk_id: str) -> None:
    traffic = normal_call()
    station = Station(database)
    told = []
    for message in traffic.messages:
        await station.sees([message], after=0.05)
        row = await only_row(database)
        told.append(row.details["state"])
        assert len(await messages_of(database, row)) == len(told)
    assert sorted(set(told), key=told.index) == ["trying", "ringing", "in-progress", "ended"]
    assert (row.org_id, row.trunk_id) == (org_id, trunk_id)


async def test_what_repeats_is_counted_and_what_came_twice_is_not_written(
    database: Database, trunk_id: str
) -> None:
    traffic = normal_call()
    traffic.repeats(500, 0)
    await Station(database).sees([*traffic.messages, *traffic.messages[:5]])
    row = await only_row(database)
    messages = await messages_of(database, row)
    assert (row.messages, row.retransmissions) == (len(traffic.messages), 1)
    assert [each.retransmission for each in messages] == [
        *[False] * (len(traffic.messages) - 1),
        True,
    ]


async def test_a_call_of_nobodys_is_for_operators_only(database: Database, org_id: str) -> None:
    await Station(database).sees(normal_call().messages)
    row = await only_row(database)
    assert (row.org_id, row.match, row.trunk_id) == (NOBODYS, CallMatch.UNMATCHED, None)
    assert {each.org_id for each in await messages_of(database, row)} == {NOBODYS}
    async with database.tenant(org_id) as session:
        assert await session.get(LiveCallRow, (row.at, row.id)) is None


async def test_a_call_that_two_organizations_could_have_is_for_operators_only(
    database: Database, org_id: str
) -> None:
    other_id = await add_organization(database, "Other")
    for owner in (org_id, other_id):
        await bind(database, owner, await add_trunk(database, owner), CALLERS_NUMBER)
    station = Station(database)
    traffic = normal_call()
    await station.sees(traffic.messages[:2])
    await station.sees(traffic.messages[2:6], after=0.05)
    assert await rows_of(database) == []
    await station.sees([], after=2)
    row = await only_row(database)
    assert (row.org_id, row.match, row.number) == (NOBODYS, CallMatch.AMBIGUOUS, None)
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent(traffic.messages[:6])


async def test_the_peer_that_an_invite_is_passed_on_to_tells_organizations_apart(
    database: Database, org_id: str, trunk_id: str
) -> None:
    other_id = await add_organization(database, "Other")
    theirs = await add_trunk(database, other_id)
    await bind(database, other_id, theirs, CALLERS_NUMBER)
    await leads_to(database, other_id, theirs, b=[OTHER[0]])
    traffic, station = normal_call(), Station(database)
    for message in traffic.messages:
        await station.sees([message], after=0.01)
    row = await only_row(database)
    assert (row.org_id, row.trunk_id, row.match) == (org_id, trunk_id, CallMatch.MATCHED)
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent(traffic.messages)
    assert {each.org_id for each in messages} == {org_id}


async def test_the_trunk_is_the_one_whose_peer_took_the_call_in_the_end(
    database: Database, org_id: str, trunk_id: str
) -> None:
    second = await add_trunk(database, org_id)
    await bind(database, org_id, second, CALLERS_NUMBER, priority=1)
    await leads_to(database, org_id, second, b=[OTHER[0]])
    traffic, station = Traffic(), Station(database)
    traffic.invites()
    await station.sees(traffic.messages[:1])
    assert (await only_row(database)).trunk_id is None
    await station.sees(traffic.messages[1:])
    assert (await only_row(database)).trunk_id == trunk_id
    passed_on = Traffic()
    passed_on.request(900, (PROXY, OTHER), "INVITE", hops=2)
    await station.sees(passed_on.messages)
    row = await only_row(database)
    assert (row.org_id, row.trunk_id) == (org_id, second)


async def test_messages_that_come_before_their_invite_belong_to_its_call(
    database: Database, trunk_id: str
) -> None:
    traffic, station = normal_call(), Station(database)
    late, first = traffic.messages[3:8], traffic.messages[:3]
    await station.sees(late)
    assert await rows_of(database) == []
    await station.sees(first, after=0.1)
    row = await only_row(database)
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent([*late, *first])
    assert (row.messages, row.started_at) == (8, START)
