"""Orders as they are listed and shown, drafts, and what belongs to an order."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.state import ApiState
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.words import NumberStatus, SubStatus
from storage import port_letters, port_timeline
from storage.engine import Database
from storage.port_timeline import NewEntry
from tests.api.ported import ACCOUNT, LANDLINE, MOBILE, Porter, body
from tests.api.tenants import Tenant
from tests.storage.port_rows import a_letter

pytestmark = pytest.mark.postgres

OTHER = "+14155550101"


@pytest.fixture
def porter(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> Porter:
    return Porter(client, tenant, database)


async def ids(porter: Porter, **query: str) -> list[str]:
    found = await porter.told("GET", params=query)
    return [each["id"] for each in found["port_requests"]]


async def test_the_list_has_every_order_and_its_filters_choose(porter: Porter) -> None:
    first = await porter.placed(LANDLINE)
    second = await porter.placed(OTHER)
    await porter.stands(first, SubStatus.FAILED, NumberStatus.FAILED)
    before = datetime.now(UTC).isoformat()

    assert await ids(porter) == [second, first]
    assert await ids(porter, status="failed") == [first]
    assert await ids(porter, phone_number=OTHER) == [second]
    assert await ids(porter, include_terminal="false") == [second]
    assert await ids(porter, updated_after=before) == []
    page = await porter.told("GET", params={"limit": "1"})
    assert [each["id"] for each in page["port_requests"]] == [second]
    assert await ids(porter, limit="1", cursor=page["next_cursor"]) == [first]


async def test_an_order_says_until_when_what_can_be_done(porter: Porter) -> None:
    order_id = await porter.placed()
    foc_at = datetime.now(UTC) + timedelta(days=9)
    await porter.stands(
        order_id,
        SubStatus.FOC_CONFIRMED,
        NumberStatus.ACCEPTED,
        foc_at=foc_at,
        cancel_cutoff_at=foc_at - timedelta(days=2),
        cancel_refused_from=foc_at - timedelta(days=1),
    )
    shown = await porter.told("GET", f"/{order_id}")
    assert (shown["status"], shown["cancelable"]) == ("in_progress", True)
    assert shown["foc_date"] is not None
    assert shown["cancel_cutoff_at"] is not None
    assert shown["estimated_completion"]["reason"] == "The losing carrier confirmed the date."
    assert [each["number_status"] for each in shown["numbers"]] == ["accepted"]
    assert shown["losing_carrier_information"]["account_number"] == f"******{ACCOUNT[-2:]}"
    assert shown["date_changes_left"] == 3


async def test_what_comes_back_says_how_to_mend_it(porter: Porter) -> None:
    order_id = await porter.placed(LANDLINE, OTHER)
    rejected = SeenRejection(code=RejectionCode.NUMBER_LOCKED, positions=(1,))
    await porter.stands(
        order_id, SubStatus.ACTION_REQUIRED, NumberStatus.REJECTED, rejections=(rejected,)
    )
    [order] = (await porter.told("GET"))["port_requests"]
    [action] = order["action_required"]
    assert (action["code"], action["phone_numbers"]) == ("number_locked", [OTHER])
    assert action["fix"]


async def test_a_split_order_stands_as_its_parts_do(porter: Porter) -> None:
    placed = await porter.told("POST", "/initiate", body(LANDLINE, MOBILE))
    whole, parts = placed["port_request_id"], placed["children"]
    await porter.stands(parts[0]["port_request_id"], SubStatus.ACTION_REQUIRED)
    [listed] = (await porter.told("GET"))["port_requests"]
    assert (listed["id"], listed["sub_status"]) == (whole, "action_required")
    assert {each["number"] for each in listed["phone_numbers"]} == {LANDLINE, MOBILE}
    assert await ids(porter, parent_id=whole) == [each["port_request_id"] for each in parts][::-1]
    shown = await porter.told("GET", f"/{whole}")
    assert {each["order_id"] for each in shown["numbers"]} == set(listed["children"])


async def test_a_draft_grows_and_becomes_an_order_under_its_id(porter: Porter) -> None:
    draft = (await porter.told("POST", "/drafts", {"phone_numbers": [LANDLINE]}))["port_request_id"]
    assert await ids(porter) == []
    assert await ids(porter, status="draft") == [draft]
    early = await porter.ask("POST", f"/drafts/{draft}/submit")
    fields = {each["field"] for each in early.json()["errors"]}
    assert "losing_carrier_information.authorized_representative_email" in fields
    rest = {key: value for key, value in body().items() if key != "phone_numbers"}
    await porter.told("PATCH", f"/drafts/{draft}", rest)
    await porter.told("PATCH", f"/drafts/{draft}", {"customer_reference": "PO 9"})

    placed = await porter.told("POST", f"/drafts/{draft}/submit")
    assert (placed["port_request_id"], placed["phone_numbers"]) == (draft, [LANDLINE])
    row = await porter.row(draft)
    assert (row.sub_status, row.customer_reference, row.spid) == (
        SubStatus.VALIDATING,
        "PO 9",
        "901X",
    )
    shown = await porter.told("GET", f"/{draft}")
    assert shown["losing_carrier_information"]["account_number"] == f"******{ACCOUNT[-2:]}"
    again = await porter.ask("POST", f"/drafts/{draft}/submit")
    assert again.json()["errors"][0]["error"] == "PORT_NOT_A_DRAFT"
    late = await porter.ask("PATCH", f"/drafts/{draft}", {})
    assert late.status_code == 409


async def test_a_draft_of_several_carriers_splits_and_one_is_deleted(porter: Porter) -> None:
    drafts = [
        (await porter.told("POST", "/drafts", body(LANDLINE, MOBILE)))["port_request_id"]
        for _ in range(2)
    ]
    placed = await porter.told("POST", f"/drafts/{drafts[0]}/submit")
    assert len(placed["children"]) == 2
    assert await porter.told("DELETE", f"/{drafts[1]}") == {"canceled": True}
    assert (await porter.ask("GET", f"/{drafts[1]}")).status_code == 404


async def test_the_timeline_is_read_in_pages_and_as_a_table(porter: Porter) -> None:
    order_id = await porter.placed()
    entries = [
        NewEntry(
            entry_key=f"e{at}",
            at=datetime.now(UTC),
            kind="status",
            actor="system",
            text=f"=step {at}",
            public=at != 1,
        )
        for at in range(3)
    ]
    async with porter.database.tenant(porter.tenant.org_id) as session:
        await port_timeline.add(session, order_id, entries)
    page = await porter.told("GET", f"/{order_id}/timeline", params={"limit": "1"})
    assert [each["text"] for each in page["entries"]] == ["=step 0"]
    query = {"cursor": page["next_cursor"], "format": "csv"}
    table = await porter.ask("GET", f"/{order_id}/timeline", params=query)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [each["text"] for each in rows] == ["'=step 2"]
    assert table.headers["content-type"].startswith("text/csv")
    operator = await porter.told("GET", f"/{order_id}/timeline", headers=porter.tenant.operator)
    assert len(operator["entries"]) == 3
    wrong = await porter.ask("GET", f"/{order_id}/timeline", params={"cursor": "nonsense"})
    assert wrong.status_code == 400


async def test_comments_are_written_once_and_inner_ones_by_operators(porter: Porter) -> None:
    order_id = await porter.placed()
    said, headers = {"text": "Jane is Janet on the bill."}, {"Idempotency-Key": "c"}
    for _ in range(2):
        await porter.told("POST", f"/{order_id}/comments", said, headers=headers)
    inner = {"text": "Called them.", "public": False}
    refused = await porter.ask("POST", f"/{order_id}/comments", inner)
    assert refused.status_code == 403
    await porter.told("POST", f"/{order_id}/comments", inner, headers=porter.tenant.operator)
    page = await porter.told("GET", f"/{order_id}/timeline")
    assert [(each["actor"], each["text"]) for each in page["entries"]] == [
        ("customer", said["text"])
    ]


async def test_the_confirmed_date_is_a_calendar_file(porter: Porter) -> None:
    order_id = await porter.placed()
    none = await porter.ask("GET", f"/{order_id}/ics")
    assert (none.status_code, none.json()["errors"][0]["error"]) == (409, "PORT_NO_DATE")
    foc_at = datetime(2030, 3, 12, 15, 30, tzinfo=UTC)
    await porter.stands(order_id, SubStatus.FOC_CONFIRMED, foc_at=foc_at, foc_changes=2)
    file = await porter.ask("GET", f"/{order_id}/ics")
    assert file.headers["content-type"].startswith("text/calendar")
    assert "DTSTART:20300312T153000Z\r\n" in file.text
    assert "SEQUENCE:2\r\n" in file.text


async def test_the_letter_is_given_out_as_it_is_stored(app: FastAPI, porter: Porter) -> None:
    order_id = await porter.placed()
    assert (await porter.ask("GET", f"/{order_id}/loa")).status_code == 404
    letter = a_letter(order_id)
    async with porter.database.tenant(porter.tenant.org_id) as session:
        await port_letters.add(session, letter)
    assert (await porter.ask("GET", f"/{order_id}/loa")).status_code == 404
    state: ApiState = app.state.trunkline
    await state.porting.documents.put(letter.unsigned_key, b"%PDF-1.7")
    given = await porter.ask("GET", f"/{order_id}/loa")
    assert given.content == b"%PDF-1.7"
    assert given.headers["content-disposition"].endswith('-1-unsigned.pdf"')
    other = await porter.ask("GET", f"/{order_id}/loa", params={"revision": "2"})
    assert other.status_code == 404


async def test_the_simulator_is_told_its_scenario_before_it_has_the_order(
    porter: Porter,
) -> None:
    order_id = await porter.placed()
    said = await porter.told("POST", f"/{order_id}/simulate", {"scenario": "silent"})
    assert said == {"scenario": "silent", "event": None}
    await porter.stands(order_id, SubStatus.VERIFYING, NumberStatus.PORTED)
    await porter.told("POST", f"/{order_id}/simulate", {"event": "inbound_call"})
    await porter.told("POST", f"/{order_id}/simulate", {"event": "carrier_news"})
    facts = [each["fact"] for each in await porter.facts(order_id)]
    assert facts == ["submitted", "first_inbound", "carrier_event"]
    [number] = await porter.numbers(order_id)
    assert number.first_inbound_at is not None
