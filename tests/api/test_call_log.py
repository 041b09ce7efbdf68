"""The call log: lists, filters, pages, one call, and who sees which."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from storage import calls
from storage.engine import Database
from storage.ids import new_id
from storage.tables import CallDirection, CallMatch, Role
from storage.tables.live_call import NOBODYS
from tests.api.calling import conclude
from tests.api.logged import NUMBER, Log
from tests.api.tenants import Tenant
from tests.storage.factories import queued_call

pytestmark = pytest.mark.postgres

UNANSWERED: dict[str, Any] = {"answered_at": None, "duration_ms": None, "codecs": []}
UNMATCHED: dict[str, Any] = {
    "org_id": NOBODYS,
    "match": CallMatch.UNMATCHED,
    "number": None,
    "trunk_id": None,
    "direction": None,
}


@pytest.fixture
def log_of_calls(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> Log:
    return Log(client, tenant, database)


async def add_test_call(log: Log, **progress: Any) -> str:
    call = await queued_call(log.database, log.tenant.org_id, at=log.now, number=NUMBER)
    async with log.database.tenant(log.tenant.org_id) as session:
        await calls.progress(session, call.id, **progress)
    return call.id


async def test_a_call_is_told_in_the_words_of_the_contract(log_of_calls: Log) -> None:
    await log_of_calls.add(sip_call_id="abc@x", duration_ms=44_620)

    ((call,),) = (await log_of_calls.data(phone_number=NUMBER)).values()

    assert (call["call_id"], call["direction"]) == ("abc@x", "outbound")
    assert (call["from"], call["to"]) == (NUMBER, "+15105551234")
    assert (call["status"], call["sip_code"], call["outcome"]) == ("200 OK", 200, "answered")
    assert (call["duration_seconds"], call["duration_ms"]) == (45, 44_620)
    assert (call["source_ip"], call["kind"], call["match"]) == ("192.0.2.20", "live", "matched")
    assert (call["post_dial_delay_ms"], call["codecs"]) == (1830, ["PCMU"])
    assert (call["trunk_id"], call["phone_number"], call["retransmissions"]) == (
        "trk_a",
        NUMBER,
        0,
    )
    assert all(call[name].endswith("Z") for name in ("started_at", "answered_at", "ended_at"))


@pytest.mark.parametrize(
    ("fields", "status", "outcome"),
    [
        ({"sip_code": 486, "sip_reason": "Busy"}, "486 Busy", "busy"),
        ({"sip_code": 503, "sip_reason": None}, "503", "failed"),
        ({"sip_code": None, "sip_reason": None}, "No final reply", "failed"),
        ({"sip_code": None, "sip_reason": "Expired"}, "Expired", "failed"),
        (
            {"sip_code": None, "sip_reason": None, "ended": False, "ended_at": None},
            "In progress",
            "in-progress",
        ),
    ],
)
async def test_an_unanswered_call_says_how_far_it_came(
    log_of_calls: Log, fields: dict[str, Any], status: str, outcome: str
) -> None:
    await log_of_calls.add(**{**UNANSWERED, **fields})
    ((call,),) = (await log_of_calls.data(phone_number=NUMBER)).values()
    assert (call["status"], call["outcome"]) == (status, outcome)
    assert (call["duration_seconds"], call["duration_ms"], call["codecs"]) == (0, None, [])


async def test_test_calls_are_in_the_log_too(log_of_calls: Log) -> None:
    test = await add_test_call(
        log_of_calls,
        sip_call_id="t@x",
        from_user=NUMBER,
        to_user="100",
        answered_at=log_of_calls.now,
    )
    (going_on,) = (await log_of_calls.data(phone_number=NUMBER))["calls"]
    assert (going_on["status"], going_on["kind"]) == ("In progress", "test")
    assert (going_on["call_id"], going_on["id"]) == ("t@x", test)
    await conclude(log_of_calls.database, log_of_calls.tenant.org_id, test)
    live = await log_of_calls.add(1)
    assert await log_of_calls.ids(phone_number=NUMBER) == [live.id, test]


async def test_the_list_is_filtered_by_what_is_asked(log_of_calls: Log) -> None:
    add = log_of_calls.add
    busy = await add(1, sip_code=486, **UNANSWERED)
    refused = await add(2, sip_code=503, **UNANSWERED)
    inbound = await add(3, direction=CallDirection.INBOUND, trunk_id="trk_b")
    extension = await add(4, number="2001")

    async def found(**query: Any) -> list[str]:
        return await log_of_calls.ids(**{"phone_number": NUMBER, **query})

    assert await found() == [inbound.id, refused.id, busy.id]
    assert await found(phone_number=NUMBER.removeprefix("+")) == await found()
    assert await found(phone_number="2001") == [extension.id]
    assert await log_of_calls.ids(trunk_id="trk_b") == [inbound.id]
    assert await found(trunk_id="trk_a") == [refused.id, busy.id]
    assert await found(direction="inbound") == [inbound.id]
    assert await found(status="busy") == [busy.id]
    assert await found(status="answered") == [inbound.id]
    assert await found(sip_code="486") == [busy.id]
    assert await found(sip_code="5XX") == [refused.id]
    since, until = refused.started_at.isoformat(), inbound.started_at.isoformat()
    assert await found(since=since) == [inbound.id, refused.id]
    assert await found(until=until) == [refused.id, busy.id]
    assert await found(since=since, until=until) == [refused.id]
    assert await found(limit=2) == [inbound.id, refused.id]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "phone_number: is required"),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"limit": 201}, "limit: Input should be less than or equal to 200"),
        ({"status": "lost"}, "status: Input should be 'in-progress', 'answered'"),
        ({"direction": "both"}, "direction: Input should be 'inbound' or 'outbound'"),
        (
            {"sip_code": "99"},
            'sip_code: "99" is neither a code such as 486 nor a class such as 4xx',
        ),
        (
            {"sip_code": "7xx"},
            'sip_code: "7xx" is neither a code such as 486 nor a class such as 4xx',
        ),
        ({"sip_code": "4xxx"}, "sip_code: String should have at most 3 characters"),
        ({"since": "2026-03-09T11:00:00"}, "since: Input should have timezone info"),
        ({"since": "yesterday"}, "since: Input should be a valid datetime"),
        (
            {"since": "2026-03-09T11:00:00Z", "until": "2026-03-09T11:00:00Z"},
            "until: must be later than since",
        ),
        ({"before": "abc@x"}, "before: names no call of this log"),
        ({"before": "a\x00b"}, "must not hold NUL characters"),
        ({"trunk_id": "\x00"}, "must not hold NUL characters"),
        ({"phone_number": "\x00"}, "must not hold NUL characters"),
    ],
)
async def test_a_senseless_question_is_refused_in_plain_words(
    log_of_calls: Log, query: dict[str, Any], message: str
) -> None:
    asked = {"phone_number": NUMBER, **query} if query else {}
    status, said = await log_of_calls.refused(**asked)
    assert status == 400
    assert said.startswith(message)


@pytest.mark.parametrize("name", ["call_id", "id"])
async def test_pages_follow_each_other_by_the_last_call(log_of_calls: Log, name: str) -> None:
    for number in range(7):
        await log_of_calls.add(number // 2)
    everything = await log_of_calls.ids(phone_number=NUMBER)
    paged: list[str] = []
    query: dict[str, Any] = {"phone_number": NUMBER, "limit": 3}
    while page := (await log_of_calls.data(**query))["calls"]:
        paged += [call["id"] for call in page]
        query["before"] = page[-1][name]
    assert paged == everything
    assert len(everything) == 7


async def test_a_call_is_told_whole_by_its_id_and_by_its_call_id(log_of_calls: Log) -> None:
    details = {"hung_up_by": "callee", "q850": 16, "state": "ended"}
    call = await log_of_calls.add(sip_call_id="a b@x?y", correlation_id="c", details=details)
    leg = await log_of_calls.add(sip_call_id="c")
    listed = (await log_of_calls.data(phone_number=NUMBER, before=leg.id))["calls"]
    by_id = await log_of_calls.data(f"/{call.id}")
    assert by_id == await log_of_calls.data("/a%20b%40x%3Fy")
    assert (by_id["details"], by_id["messages"], by_id["related"]) == (details, 14, [leg.id])
    assert [{name: by_id[name] for name in each} for each in listed] in ([], listed)


async def test_a_test_call_is_told_without_what_only_real_traffic_has(log_of_calls: Log) -> None:
    test = await add_test_call(log_of_calls, sip_call_id="t@x")
    call = await log_of_calls.data("/t%40x")
    assert (call["id"], call["kind"]) == (test, "test")
    assert (call["details"], call["messages"], call["related"]) == (None, None, [])


async def test_what_is_not_there_is_not_found(log_of_calls: Log) -> None:
    for key in (new_id("lc"), "abc@x", "%00", "x" * 300):
        answer = await log_of_calls.get(f"/{key}")
        assert answer.status_code in {400, 404}, key
    assert await log_of_calls.refused(f"/{new_id('lc')}") == (404, "no such call")


async def test_other_organizations_see_nothing(log_of_calls: Log, other_tenant: Tenant) -> None:
    call = await log_of_calls.add()
    theirs = other_tenant.as_(Role.OPERATOR)
    answer = await log_of_calls.get(headers=theirs, phone_number=NUMBER)
    assert answer.json()["data"] == {"calls": []}
    for key in (call.id, call.sip_call_id):
        for form in ("", "/trace", "/pcap", "/ladder.svg", "/ladder.mmd", "/events"):
            answer = await log_of_calls.get(f"/{key}{form}", headers=theirs)
            assert answer.status_code == 404
        answer = await log_of_calls.get(headers=theirs, phone_number=NUMBER, before=key)
        assert answer.status_code == 400


async def test_operators_see_what_belongs_to_nobody(log_of_calls: Log) -> None:
    own = await log_of_calls.add()
    unmatched = await log_of_calls.add(1, **UNMATCHED)
    ambiguous = await log_of_calls.add(2, **UNMATCHED | {"match": CallMatch.AMBIGUOUS})
    operator = log_of_calls.tenant.operator

    found = (await log_of_calls.data(headers=operator, unassigned="true"))["calls"]
    assert [call["id"] for call in found] == [ambiguous.id, unmatched.id]
    assert [call["match"] for call in found] == ["ambiguous", "unmatched"]
    assert [call["direction"] for call in found] == [None, None]
    behind = await log_of_calls.get(headers=operator, unassigned="true", before=ambiguous.id)
    assert [call["id"] for call in behind.json()["data"]["calls"]] == [unmatched.id]

    for call in (own, unmatched, ambiguous):
        assert (await log_of_calls.data(f"/{call.id}", headers=operator))["id"] == call.id
    for headers in (log_of_calls.tenant.viewer, log_of_calls.tenant.editor):
        answer = await log_of_calls.get(headers=headers, unassigned="true")
        assert (answer.status_code, answer.json()["errors"][0]["error"]) == (403, "FORBIDDEN")
        answer = await log_of_calls.get("/events", headers=headers, unassigned="true")
        assert answer.status_code == 403
        answer = await log_of_calls.get(f"/{unmatched.id}", headers=headers)
        assert answer.status_code == 404


async def test_an_operator_does_not_see_another_organizations_calls(
    log_of_calls: Log, other_tenant: Tenant
) -> None:
    theirs = await log_of_calls.add(org_id=other_tenant.org_id, sip_call_id="abc@x")
    nobodys = await log_of_calls.add(-1, **UNMATCHED, sip_call_id="abc@x")
    operator = log_of_calls.tenant.operator
    assert (await log_of_calls.get(f"/{theirs.id}", headers=operator)).status_code == 404
    assert (await log_of_calls.data("/abc%40x", headers=operator))["id"] == nobodys.id
    listed = await log_of_calls.data(headers=operator, unassigned="true")
    assert [call["id"] for call in listed["calls"]] == [nobodys.id]
    answer = await log_of_calls.get(headers=operator, unassigned="true", before=theirs.id)
    assert answer.status_code == 400


async def test_a_call_of_long_ago_is_still_told(log_of_calls: Log) -> None:
    call = await log_of_calls.add(-timedelta(days=20).total_seconds())
    assert (await log_of_calls.data(f"/{call.id}"))["messages"] == 14
