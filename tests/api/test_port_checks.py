"""Portability by number, kept with its age; business days; why orders come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from api.state import ApiState
from carriers.base import CarrierUnavailable, PortingCarrier
from domain.porting.portability import PortabilityCheck
from domain.porting.rejections import RejectionCode
from domain.porting.words import Portability
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

URL = "/v1/sip/port"


@dataclass
class Checker:
    """A carrier that only checks."""

    name: str = "checker"
    asked: list[tuple[str, ...]] = field(default_factory=list)
    away: bool = False

    async def check(self, numbers: Sequence[str], *, now: datetime) -> list[PortabilityCheck]:
        self.asked.append(tuple(numbers))
        if self.away:
            raise CarrierUnavailable("away")
        return [PortabilityCheck(number=each, portability=Portability.YES) for each in numbers]


@pytest.fixture
def checker(app: FastAPI) -> Checker:
    """In the place of the simulated carrier."""
    made = Checker()
    state: ApiState = app.state.trunkline
    porting = replace(state.porting, carrier=cast(PortingCarrier, made))
    app.state.trunkline = replace(state, porting=porting)
    return made


async def check(client: httpx.AsyncClient, tenant: Tenant, *numbers: str) -> dict[str, Any]:
    answer = await client.get(
        f"{URL}/check", params={"phone_numbers": list(numbers)}, headers=tenant.viewer
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_each_number_has_its_verdict_and_the_groups_name_all_that_can_be_ordered(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    found = await check(
        client, tenant, "+14155550100", "+14155559001", "+18005550100", "+14155550190"
    )
    landline, mobile, toll_free, refused = found["results"]
    assert (landline["portable"], landline["number_type"], landline["pin_required"]) == (
        True,
        "landline",
        False,
    )
    assert (mobile["number_type"], mobile["pin_required"]) == ("mobile", True)
    assert (toll_free["number_type"], toll_free["lead_days"]) == ("toll-free", 10)
    assert (refused["portable"], refused["portability"]) == (False, "no")
    assert refused["reason"]["code"] == "not_portable"
    assert landline["checked_at"] is not None
    assert [each["phone_numbers"] for each in found["groups"]] == [
        ["+14155550100"],
        ["+14155559001"],
        ["+18005550100"],
    ]
    assert len(found["advice"]) == 3


@pytest.mark.parametrize("number", ["+442071838750", "+19005550100"])
async def test_numbers_that_nobody_ports_are_said_to_be_so(
    client: httpx.AsyncClient, tenant: Tenant, number: str
) -> None:
    [result] = (await check(client, tenant, number))["results"]
    assert (result["portable"], result["portability"]) == (False, "no")
    assert result["reason"]["text"]


async def test_an_answer_is_kept_for_a_while_and_says_how_old_it_is(
    client: httpx.AsyncClient, tenant: Tenant, checker: Checker
) -> None:
    first = await check(client, tenant, "+14155550100")
    second = await check(client, tenant, "+14155550100", "+14155550101")
    assert checker.asked == [("+14155550100",), ("+14155550101",)]
    assert second["results"][0]["checked_at"] == first["results"][0]["checked_at"]


async def test_a_carrier_that_is_away_makes_numbers_unknown_and_no_error(
    client: httpx.AsyncClient, tenant: Tenant, checker: Checker
) -> None:
    checker.away = True
    [result] = (await check(client, tenant, "+14155550100"))["results"]
    assert (result["portable"], result["portability"], result["checked_at"]) == (
        False,
        "unknown",
        None,
    )
    assert result["reason"]["code"] == "unknown"
    checker.away = False
    [result] = (await check(client, tenant, "+14155550100"))["results"]
    assert result["portable"]


async def test_numbers_come_in_both_spellings_of_the_parameter(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    url = f"{URL}/check?phone_numbers[]=%2B14155550100&phone_numbers[]=+14155550101"
    answer = await client.get(url, headers=tenant.viewer)
    numbers = [each["phone_number"] for each in answer.json()["data"]["results"]]
    assert numbers == ["+14155550100", "+14155550101"]


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        ([], "phone_numbers"),
        ([f"+1415555{each:04}" for each in range(101)], "phone_numbers"),
        (["+14155550100", "nobody"], "phone_numbers.1"),
    ],
)
async def test_numbers_that_cannot_be_read_are_refused(
    client: httpx.AsyncClient, tenant: Tenant, numbers: list[str], field: str
) -> None:
    answer = await client.get(
        f"{URL}/check", params={"phone_numbers": numbers}, headers=tenant.viewer
    )
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_every_reason_to_come_back_is_listed_with_its_cure(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await client.get(f"{URL}/rejection-codes", headers=tenant.viewer)
    codes = answer.json()["data"]["rejection_codes"]
    assert {each["code"] for each in codes} == set(RejectionCode)
    assert all(each["fix"] for each in codes)


async def test_business_days_leave_weekends_and_holidays_out(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    year = datetime.now(UTC).year
    answer = await client.get(
        f"{URL}/business-days",
        params={"from": f"{year}-07-03", "n": 2, "carrier": "nobody special"},
        headers=tenant.viewer,
    )
    said = answer.json()["data"]
    assert said["carrier_profile"] == "default"
    assert f"{year}-07-04" in {each["date"] for each in said["days_off"]}
    assert said["date"] == said["days"][-1]
    assert all(date.fromisoformat(each).weekday() < 5 for each in said["days"])


async def test_a_year_whose_holidays_nobody_knows_is_refused(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    for first in ("1999-01-01", "9999-12-31"):
        answer = await client.get(
            f"{URL}/business-days", params={"from": first}, headers=tenant.viewer
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "from")
