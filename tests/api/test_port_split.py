"""Every number of a request is accounted for: in one order, in a part of it, or refused with its reason."""

from __future__ import annotations

import httpx
import pytest

from domain.porting.words import NumberStatus
from settings import Settings
from storage.engine import Database
from tests.api.ported import (
    LANDLINE,
    MOBILE,
    NOT_PORTABLE,
    OTHER_CARRIER,
    PIN,
    TOLL_FREE,
    UNKNOWN,
    Porter,
    body,
    errors_of,
    secrets_of,
)
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres


@pytest.fixture
def porter(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> Porter:
    return Porter(client, tenant, database)


async def test_numbers_of_several_carriers_make_parts_and_none_is_lost(
    porter: Porter, settings: Settings
) -> None:
    numbers = [LANDLINE, {"number": MOBILE, "pin": PIN}, OTHER_CARRIER, TOLL_FREE, UNKNOWN]
    placed = await porter.told(
        "POST",
        "/initiate",
        body(*numbers, NOT_PORTABLE, continue_without=True),
    )

    written = [LANDLINE, MOBILE, OTHER_CARRIER, TOLL_FREE, UNKNOWN]
    parts = placed["children"]
    assert placed["phone_numbers"] == written
    assert sorted(each for part in parts for each in part["phone_numbers"]) == sorted(written)
    assert [each["phone_number"] for each in placed["excluded"]] == [NOT_PORTABLE]
    assert {each["kind"] for each in parts} == {"local", "toll_free"}
    whole = await porter.numbers(placed["port_request_id"])
    assert {each.number: each.status for each in whole} == {
        **dict.fromkeys(written, NumberStatus.DROPPED),
        NOT_PORTABLE: NumberStatus.FAILED,
    }
    mobile = next(each for each in parts if each["phone_numbers"] == [MOBILE])
    assert (await secrets_of(porter, settings, mobile["port_request_id"])).pins == {MOBILE: PIN}
    landline = next(each for each in parts if each["phone_numbers"] == [LANDLINE])
    assert (await secrets_of(porter, settings, landline["port_request_id"])).pins == {}
    assert placed["signature_url"].endswith(parts[0]["port_request_id"])
    shown = await porter.told("GET", f"/{placed['port_request_id']}")
    assert {each["number"] for each in shown["numbers"]} == {*written, NOT_PORTABLE}
    assert shown["children"] == [each["port_request_id"] for each in parts]


async def test_a_number_that_cannot_be_ported_is_refused_unless_the_rest_is_wanted(
    porter: Porter,
) -> None:
    answer = await porter.ask("POST", "/initiate", body(LANDLINE, NOT_PORTABLE))
    assert errors_of(answer) == {"phone_numbers.1": "NUMBER_NOT_PORTABLE"}
    alone = await porter.ask("POST", "/initiate", body(NOT_PORTABLE, continue_without=True))
    assert errors_of(alone) == {"phone_numbers.0": "NUMBER_NOT_PORTABLE"}

    placed = await porter.told(
        "POST", "/initiate", body(LANDLINE, NOT_PORTABLE, continue_without=True)
    )
    rows = await porter.numbers(placed["port_request_id"])
    assert [each.status for each in rows] == [NumberStatus.REQUESTED, NumberStatus.FAILED]
    assert placed["phone_numbers"] == [LANDLINE]


async def test_a_number_is_in_one_order_at_a_time(porter: Porter, other_tenant: Tenant) -> None:
    order_id = await porter.placed(LANDLINE)
    again = await porter.ask("POST", "/initiate", body("+14155550101", LANDLINE))
    assert errors_of(again) == {"phone_numbers.1": "NUMBER_ALREADY_PORTING"}
    assert again.json()["errors"][0]["order_id"] == order_id

    stranger = Porter(porter.client, other_tenant, porter.database)
    foreign = await stranger.ask("POST", "/initiate", body(LANDLINE))
    assert errors_of(foreign) == {"phone_numbers.0": "NUMBER_ALREADY_PORTING"}
    assert order_id not in foreign.text


async def test_a_dry_run_says_what_would_come_and_writes_nothing(porter: Porter) -> None:
    said = await porter.told(
        "POST", "/initiate", body(LANDLINE, MOBILE), params={"dry_run": "true"}
    )
    assert (said["dry_run"], said["valid"], len(said["groups"])) == (True, True, 2)
    assert any(each["code"] == "pin_missing" for each in said["findings"])
    wrong = body(information={"business_name": "", "first_name": "", "last_name": ""})
    said = await porter.told("POST", "/initiate", wrong, params={"dry_run": "true"})
    assert not said["valid"]
    assert (await porter.told("GET"))["port_requests"] == []
