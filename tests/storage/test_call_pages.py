"""The call log: test calls and real traffic in one list, by every filter, page after page."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest

from domain.call_outcome import OUTCOME_CODES, CallOutcome, outcome_of
from domain.call_state import CallResult, CallStatus
from storage import call_pages, calls
from storage.call_pages import CallFilter, LoggedCall
from storage.engine import Database
from storage.ids import new_id
from storage.tables import CallDirection, CallMatch, LiveCallRow
from storage.tables.live_call import NOBODYS
from tests.storage.call_steps import a_message
from tests.storage.factories import NOON, queued_call
from tests.storage.live_rows import NUMBER, a_live_call, nobodys_call, write_live

pytestmark = pytest.mark.postgres

OTHER_NUMBER = "+14155550199"
SECOND = timedelta(seconds=1)


async def page(
    database: Database,
    org_id: str,
    *,
    limit: int = 100,
    before: LoggedCall | None = None,
    **wanted: Any,
) -> list[LoggedCall]:
    place = None if before is None else (before.started_at, before.id)
    async with database.tenant(org_id) as session:
        return await call_pages.page(session, CallFilter(**wanted), limit=limit, before=place)


async def ids(database: Database, org_id: str, **wanted: Any) -> set[str]:
    return {call.id for call in await page(database, org_id, **wanted)}


async def a_placed_call(database: Database, org_id: str, **ended: Any) -> str:
    """A test call that began at noon and, if anything is said of its end, ended."""
    call = await queued_call(database, org_id, number=NUMBER, trunk_id="trk_a")
    async with database.tenant(org_id) as session:
        await calls.progress(
            session, call.id, sip_call_id=f"{call.id}@x", from_user=NUMBER, to_user="1"
        )
        if ended:
            code = ended["sip_code"]
            connected = code is not None and code < 300
            await calls.conclude(
                session,
                call.id,
                status=CallStatus.COMPLETED if connected else CallStatus.FAILED,
                result=CallResult.CONNECTED if connected else CallResult.FAILED,
                ended_at=NOON + 8 * SECOND,
                **ended,
            )
    return call.id


async def test_both_kinds_of_calls_are_in_one_list(database: Database, org_id: str) -> None:
    live = a_live_call(org_id, at=NOON + SECOND)
    await write_live(database, [live])
    test = await a_placed_call(database, org_id, sip_code=200, sip_reason="OK", duration_ms=7000)
    async with database.tenant(org_id) as session:
        messages = [a_message(org_id, test, text) for text in ("INVITE", "ACK")]
        await calls.add_messages(session, test, messages)

    newest, older = await page(database, org_id)

    assert newest == LoggedCall(
        id=live.id,
        live=True,
        org_id=org_id,
        trunk_id="trk_a",
        number=NUMBER,
        direction="outbound",
        sip_call_id=live.sip_call_id,
        from_user=NUMBER,
        to_user="+15105551234",
        ended=True,
        sip_code=200,
        sip_reason="OK",
        source_ip="192.0.2.20",
        started_at=NOON + SECOND,
        answered_at=NOON + 5 * SECOND,
        ended_at=NOON + 50 * SECOND,
        pdd_ms=1830,
        duration_ms=45_000,
        codecs=["PCMU"],
        retransmissions=0,
        match="matched",
    )
    assert newest.started_at.tzinfo is UTC or newest.started_at.utcoffset() == timedelta(0)
    assert (older.id, older.live, older.org_id, older.trunk_id) == (test, False, org_id, "trk_a")
    assert (older.number, older.direction, older.sip_call_id) == (NUMBER, "outbound", f"{test}@x")
    assert (older.ended, older.sip_code, older.duration_ms) == (True, 200, 7000)
    assert (older.source_ip, older.started_at) == ("192.0.2.1", NOON)
    assert (older.pdd_ms, older.retransmissions, older.codecs) == (None, None, [])
    assert older.match == "matched"


async def test_each_filter_lets_through_what_it_says(database: Database, org_id: str) -> None:
    inbound = a_live_call(org_id, direction=CallDirection.INBOUND)
    number = a_live_call(org_id, number=OTHER_NUMBER)
    trunk = a_live_call(org_id, trunk_id="trk_b", at=NOON + 2 * SECOND)
    busy = a_live_call(org_id, sip_code=486, answered_at=None)
    failed = a_live_call(org_id, sip_code=503, answered_at=None)
    rows = [inbound, number, trunk, busy, failed]
    await write_live(database, rows)
    test = await a_placed_call(database, org_id, sip_code=404)
    everything = {row.id for row in rows} | {test}

    async def found(**wanted: Any) -> set[str]:
        return await ids(database, org_id, **wanted)

    assert await found() == everything
    assert await found(numbers=(OTHER_NUMBER,)) == {number.id}
    assert await found(numbers=(OTHER_NUMBER, NUMBER)) == everything
    assert await found(numbers=("1",)) == set()
    assert await found(trunk_id="trk_b") == {trunk.id}
    assert await found(direction=CallDirection.INBOUND) == {inbound.id}
    assert await found(direction=CallDirection.OUTBOUND) == everything - {inbound.id}
    assert await found(outcome=CallOutcome.BUSY) == {busy.id}
    assert await found(outcome=CallOutcome.FAILED) == {failed.id, test}
    assert await found(codes=(400, 499)) == {busy.id, test}
    assert await found(codes=(503, 503)) == {failed.id}
    assert await found(since=NOON + SECOND) == {trunk.id}
    assert await found(since=NOON + 2 * SECOND) == {trunk.id}
    assert await found(until=NOON + 2 * SECOND) == everything - {trunk.id}
    assert await found(since=NOON, until=NOON + SECOND) == everything - {trunk.id}
    assert await found(trunk_id="trk_a", codes=(200, 299), numbers=(NUMBER,)) == {inbound.id}


def ends_of_calls() -> Sequence[tuple[bool, bool, int | None]]:
    codes = (None, *range(100, 700))
    return [
        (ended, answered, code)
        for ended, answered in itertools.product((False, True), repeat=2)
        for code in codes
    ]


async def test_the_outcome_of_a_row_is_the_outcome_of_its_call(
    database: Database, org_id: str
) -> None:
    ends = ends_of_calls()
    rows: list[LiveCallRow] = [
        a_live_call(
            org_id,
            id=f"lc_{index}",
            ended=ended,
            answered_at=NOON if answered else None,
            sip_code=code,
        )
        for index, (ended, answered, code) in enumerate(ends)
    ]
    await write_live(database, rows)
    found = {
        call_id: outcome
        for outcome in CallOutcome
        for call_id in await ids(database, org_id, outcome=outcome, limit=10_000)
    }
    assert found == {
        f"lc_{index}": outcome_of(ended=ended, answered=answered, code=code)
        for index, (ended, answered, code) in enumerate(ends)
    }
    assert {code for codes in OUTCOME_CODES.values() for code in codes} <= set(range(100, 700))


async def test_pages_end_to_end_are_the_list_also_at_the_same_moment(
    database: Database, org_id: str
) -> None:
    same = [a_live_call(org_id, at=NOON) for _ in range(9)]
    later = [a_live_call(org_id, at=NOON + n * SECOND) for n in range(1, 4)]
    await write_live(database, [*same, *later])
    tests = [await a_placed_call(database, org_id) for _ in range(6)]
    everything = await page(database, org_id)
    assert len(everything) == 9 + 3 + len(tests)
    order = [(call.started_at, call.id) for call in everything]
    assert order == sorted(order, reverse=True)

    for size in (1, 2, 5, 18, 19):
        paged: list[LoggedCall] = []
        while more := await page(
            database, org_id, limit=size, before=paged[-1] if paged else None, numbers=(NUMBER,)
        ):
            assert len(more) <= size
            paged += more
        assert paged == everything


async def test_a_call_is_found_by_its_id_or_by_its_call_id(database: Database, org_id: str) -> None:
    live = a_live_call(org_id, sip_call_id="abc@x")
    await write_live(database, [live])
    test = await a_placed_call(database, org_id)
    async with database.tenant(org_id) as session:
        for key, call_id in (
            (live.id, live.id),
            ("abc@x", live.id),
            (test, test),
            (f"{test}@x", test),
        ):
            found = await call_pages.logged(session, key)
            assert found is not None
            assert found.id == call_id
        assert await call_pages.logged(session, new_id("lc")) is None
        assert await call_pages.logged(session, "") is None


async def test_of_several_calls_with_one_call_id_the_latest_is_found(
    database: Database, org_id: str
) -> None:
    first, last = a_live_call(org_id), a_live_call(org_id, at=NOON + SECOND)
    for call in (first, last):
        call.sip_call_id = "abc@x"
    named = a_live_call(org_id, at=NOON + 2 * SECOND, sip_call_id=first.id)
    ids_of = [call.id for call in (first, last)]
    await write_live(database, [first, last, named])
    async with database.tenant(org_id) as session:
        found = [await call_pages.logged(session, key) for key in ("abc@x", ids_of[0])]
    # An id is unique; nobody's Call-ID takes its place.
    assert [call and call.id for call in found] == [ids_of[1], ids_of[0]]


async def test_another_organization_sees_nothing(
    database: Database, org_id: str, other_org_id: str
) -> None:
    live = a_live_call(org_id)
    await write_live(database, [live])
    test = await a_placed_call(database, org_id)
    assert await page(database, other_org_id, numbers=(NUMBER,)) == []
    async with database.tenant(other_org_id) as session:
        for key in (live.id, live.sip_call_id, test):
            assert await call_pages.logged(session, key) is None


async def test_calls_of_nobody_are_listed_for_the_system_and_when_they_are_asked_for(
    database: Database, org_id: str
) -> None:
    unmatched = nobodys_call()
    ambiguous = nobodys_call(match=CallMatch.AMBIGUOUS, at=NOON - SECOND)
    await write_live(database, [a_live_call(org_id), unmatched, ambiguous])
    await a_placed_call(database, org_id)
    async with database.system() as session:
        wanted = CallFilter(matches=("ambiguous", "unmatched"))
        found = await call_pages.page(session, wanted, limit=10)
        matched = await call_pages.page(session, CallFilter(), limit=10)
    assert [call.id for call in found] == [unmatched.id, ambiguous.id]
    assert {call.org_id for call in found} == {NOBODYS}
    assert {call.org_id for call in matched} == {org_id}
    assert await ids(database, org_id, matches=("ambiguous", "unmatched")) == set()


async def test_the_system_names_whose_call_it_means(database: Database, org_id: str) -> None:
    theirs, nobodys = a_live_call(org_id), nobodys_call(at=NOON - SECOND)
    nobodys.sip_call_id = theirs.sip_call_id = "abc@x"
    wanted = {NOBODYS: nobodys.id, org_id: theirs.id, None: theirs.id}
    await write_live(database, [theirs, nobodys])
    async with database.system() as session:
        for owner, call_id in wanted.items():
            found = await call_pages.logged(session, "abc@x", org_id=owner)
            assert found is not None
            assert found.id == call_id
