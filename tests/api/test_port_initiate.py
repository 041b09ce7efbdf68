"""Orders are placed: both generations' bodies, refusals, secrets."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.porting.words import SubStatus
from settings import Settings
from storage import audit, port_orders
from storage.engine import Database
from tests.api.ported import (
    ACCOUNT,
    LANDLINE,
    MOBILE,
    PIN,
    Porter,
    add_document,
    body,
    errors_of,
    secrets_of,
)
from tests.api.tenants import Tenant
from tests.support.business_days import good_day

pytestmark = pytest.mark.postgres


@pytest.fixture
def porter(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> Porter:
    return Porter(client, tenant, database)


async def test_an_order_in_the_words_of_the_guide_is_placed_and_its_workflow_told(
    porter: Porter, settings: Settings
) -> None:
    document_id = await add_document(porter.database, porter.tenant.org_id)
    wanted = good_day()
    placed = await porter.told(
        "POST",
        "/initiate",
        body(
            LANDLINE,
            "+14155550101",
            target_port_date=f"{wanted}T00:00:00Z",
            documents=[document_id],
            pin=PIN,
            customer_reference="PO 7",
        ),
    )

    order_id = placed["port_request_id"]
    assert placed["status"] == "waiting_for_signature"
    assert placed["signature_url"] == f"http://api.test/sign/{order_id}"
    assert placed["phone_numbers"] == [LANDLINE, "+14155550101"]
    assert placed["children"] == placed["excluded"] == []
    row = await porter.row(order_id)
    details = port_orders.details_of(row)
    assert (row.sub_status, row.losing_carrier, row.spid) == (
        SubStatus.VALIDATING,
        "Example Telephone",
        "901X",
    )
    assert (details.account_name, details.signer) == ("Acme, Inc.", "Jane Doe")
    assert details.service_address.street_2 == "Suite 4"
    assert str(details.requested_date) == wanted
    assert details.document_ids == (document_id,)
    kept = await secrets_of(porter, settings, order_id)
    assert (kept.account_number, kept.pin) == (ACCOUNT, PIN)
    assert await porter.facts(order_id) == [{"order_id": order_id, "fact": "submitted"}]


async def test_an_order_in_the_words_of_the_newer_generation_comes_to_the_same(
    porter: Porter, settings: Settings
) -> None:
    document_id = await add_document(porter.database, porter.tenant.org_id)
    placed = await porter.told(
        "POST",
        "/initiate",
        {
            "phone_numbers": [MOBILE],
            "losing_carrier_information": {
                "customer_type": "Individual",
                "customer_name": "Jane Doe",
                "account_number": ACCOUNT,
                "account_telephone_number": MOBILE,
                "authorized_representative": "Jane Doe",
                "authorized_representative_email": "jane@acme.example",
                "address": {
                    "street": "1 Main St",
                    "street_2": "Suite 4",
                    "city": "San Francisco",
                    "state": "CA",
                    "zip": "94105",
                    "country": "US",
                },
            },
            "target_port_in_date": good_day(),
            "documents": [document_id],
            "phone_number_pins": {MOBILE: PIN},
        },
    )

    details = port_orders.details_of(await porter.row(placed["port_request_id"]))
    assert details.customer_type == "individual"
    assert details.billing_telephone_number == MOBILE
    assert details.informed == ("jane@acme.example",)
    kept = await secrets_of(porter, settings, placed["port_request_id"])
    assert kept.pin_of(MOBILE) == PIN


async def test_what_the_newer_generation_requires_is_asked_of_its_bodies_alone(
    porter: Porter,
) -> None:
    newer = {
        "phone_numbers": [LANDLINE],
        "losing_carrier_information": {
            "customer_type": "Business",
            "customer_name": "Acme, Inc.",
            "account_number": ACCOUNT,
            "authorized_representative_email": "jane@acme.example",
            "address": {"street": "1 Main St", "city": "SF", "state": "CA", "zip": "94105"},
        },
    }
    found = errors_of(await porter.ask("POST", "/initiate", newer))

    assert set(found) == {
        "losing_carrier_information.account_telephone_number",
        "losing_carrier_information.authorized_representative",
        "target_port_in_date",
        "documents",
    }


async def test_what_carriers_refuse_for_certain_is_refused_field_by_field(porter: Porter) -> None:
    soon = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()
    answer = await porter.ask(
        "POST",
        "/initiate",
        body(
            target_port_date=soon,
            information={"business_name": "", "first_name": "", "last_name": ""},
        ),
    )

    found = errors_of(answer)
    assert set(found) == {
        "target_port_date",
        "losing_carrier_information.customer_name",
        "losing_carrier_information.authorized_representative",
    }
    date = next(e for e in answer.json()["errors"] if e["field"] == "target_port_date")
    assert (date["finding"], date["submitted"]) == ("date_too_soon", soon)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone_numbers": []}, "phone_numbers"),
        ({"phone_numbers": [LANDLINE, LANDLINE]}, "phone_numbers.1"),
        ({"phone_numbers": ["415 555 0100"]}, "phone_numbers.0"),
        ({"phone_numbers": [{"number": LANDLINE, "pin": ""}]}, "phone_numbers.0.pin"),
        ({"phone_number_pins": {MOBILE: PIN}}, f"phone_number_pins.{MOBILE}"),
        ({"colour": "red"}, "colour"),
        ({"target_port_date": "soon"}, "target_port_date"),
        ({"documents": ["doc_4fJq0ZxYbT1mN8cRw2LkPa"]}, "documents.0"),
        ({"trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE"}, "trunk_id"),
        ({"losing_carrier_information": {}}, "losing_carrier_information.customer_type"),
    ],
)
async def test_a_body_that_is_wrong_is_refused_where_it_is(
    porter: Porter, changes: dict[str, Any], field: str
) -> None:
    answer = await porter.ask("POST", "/initiate", {**body(), **changes})
    assert field in errors_of(answer)


async def test_numbers_are_promised_only_to_a_trunk_that_takes_calls(porter: Porter) -> None:
    made = [
        await porter.client.post(
            "/v1/sip/trunks",
            json={"name": way, "direction": way, "sip_endpoint": "sip:192.0.2.1"},
            headers=porter.tenant.editor,
        )
        for way in ("outbound", "both")
    ]
    outbound, both = [each.json()["data"]["trunk_id"] for each in made]
    answer = await porter.ask("POST", "/initiate", body(trunk_id=outbound))
    assert errors_of(answer) == {"trunk_id": "INVALID_REQUEST"}
    order_id = await porter.placed(trunk_id=both)
    assert (await porter.row(order_id)).trunk_id == both


async def test_an_order_that_is_sent_twice_with_its_key_is_placed_once(porter: Porter) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first, second = [
        await porter.ask("POST", "/initiate", body(), headers=headers) for _ in range(2)
    ]
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len((await porter.told("GET"))["port_requests"]) == 1


async def test_secrets_come_back_nowhere(porter: Porter, log: io.StringIO) -> None:
    placed = await porter.ask(
        "POST", "/initiate", body({"number": LANDLINE, "pin": PIN, "account_number": ACCOUNT})
    )
    order_id = placed.json()["data"]["port_request_id"]
    shown = await porter.ask("GET", f"/{order_id}")
    listed = await porter.ask("GET")
    async with porter.database.tenant(porter.tenant.org_id) as session:
        entries = await audit.entries(session, porter.tenant.org_id, limit=20)
    kept = [each.after for each in entries]
    outbox = await porter.facts(order_id)
    said = (placed.text, shown.text, listed.text, str(kept), str(outbox), log.getvalue())
    for text in said:
        assert PIN not in text
        assert ACCOUNT not in text
    assert shown.json()["data"]["pin_given"] is True
    assert [each.action for each in entries] == ["port.initiate"]
