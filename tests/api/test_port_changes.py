"""Another date, corrections, papers, fewer numbers: what is written, sent, refused, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from domain.porting.events import DropAsked, RescheduleAsked, ResubmitAsked
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.words import NumberStatus, SubStatus
from settings import Settings
from storage import port_orders, port_secrets
from storage.engine import Database
from storage.secret_box import SecretBox
from tests.api.port_workflows import PortWorkflows
from tests.api.ported import (
    LANDLINE,
    MOBILE,
    NAME,
    PIN,
    Porter,
    add_document,
    body,
    code,
    porter_of,
)
from tests.api.tenants import Tenant
from tests.support.business_days import good_day, saturday_behind

pytestmark = pytest.mark.postgres


@pytest.fixture
def workflows() -> PortWorkflows:
    return PortWorkflows()


@pytest.fixture
async def porter(
    settings: Settings, database: Database, tenant: Tenant, workflows: PortWorkflows
) -> AsyncIterator[Porter]:
    async with porter_of(settings, database, tenant, workflows) as porter:
        yield porter


async def test_another_date_is_written_and_asked_for(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id, wanted = await porter.placed(), good_day(20)
    said = await porter.told("POST", f"/{order_id}/reschedule", {"requested_date": wanted})
    assert said["requested_port_date"] == wanted
    [(_, asked, _)] = workflows.told
    assert asked == RescheduleAsked(revision=2, requested=datetime.fromisoformat(wanted).date())
    # Repeated, it is the same wish of the same revision.
    await porter.told("POST", f"/{order_id}/reschedule", {"requested_date": wanted})
    assert workflows.told[1][1] == asked


async def test_a_date_that_is_refused_is_taken_back(
    porter: Porter, workflows: PortWorkflows
) -> None:
    first = good_day()
    order_id = await porter.placed(target_port_date=first)
    workflows.refuses(OrderRefusal.TOO_MANY_CHANGES)
    answer = await porter.ask("POST", f"/{order_id}/reschedule", {"requested_date": good_day(20)})
    assert code(answer) == (409, "PORT_TOO_MANY_CHANGES")
    assert str((await porter.row(order_id)).requested_date) == first


async def test_a_date_that_was_passed_over_can_be_asked_for_again(
    porter: Porter, workflows: PortWorkflows
) -> None:
    wanted = good_day(20)
    order_id = await porter.placed(target_port_date=wanted)
    foc_at = datetime.now(UTC) + timedelta(days=9)
    facts = {"foc_at": foc_at, "changes_left": 3}
    await porter.stands(order_id, SubStatus.FOC_CONFIRMED, NumberStatus.ACCEPTED, **facts)
    asked = {"requested_date": wanted}
    await porter.told("POST", f"/{order_id}/reschedule", asked)
    assert workflows.told[0][1].revision == 2
    await porter.stands(
        order_id,
        SubStatus.FOC_CONFIRMED,
        NumberStatus.ACCEPTED,
        rescheduling=True,
        **facts,
    )
    await porter.told("POST", f"/{order_id}/reschedule", asked)
    assert workflows.told[1][1].revision == 2


async def test_a_day_on_which_nothing_is_ported_is_refused_with_a_better_one(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    saturday = saturday_behind(good_day())
    answer = await porter.ask("POST", f"/{order_id}/reschedule", {"requested_date": saturday})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, "requested_date")
    assert error["finding"] == "date_not_a_business_day"
    assert error["proposed"] > saturday
    assert workflows.told == []


async def test_the_row_refuses_what_the_workflow_would(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    await porter.stands(
        order_id,
        SubStatus.FOC_CONFIRMED,
        NumberStatus.ACCEPTED,
        foc_at=datetime.now(UTC) + timedelta(days=9),
        changes_left=0,
    )
    answer = await porter.ask("POST", f"/{order_id}/reschedule", {"requested_date": good_day(20)})
    assert code(answer) == (409, "PORT_TOO_MANY_CHANGES")
    assert code(await porter.ask("POST", f"/{order_id}/activate")) == (409, "PORT_NOT_ON_DEMAND")
    assert workflows.told == []


async def test_only_what_was_rejected_is_corrected(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    await porter.stands(order_id, SubStatus.ACTION_REQUIRED, rejections=(NAME,))
    shown = await porter.told("GET", f"/{order_id}")
    [action] = shown["action_required"]
    assert (action["code"], action["submitted"]) == (
        "name_mismatch",
        {"customer_name": "Acme, Inc.", "customer_type": "business"},
    )
    other = await porter.ask("POST", f"/{order_id}/resubmit", {"pin": PIN})
    assert [each["field"] for each in other.json()["errors"]] == ["pin"]
    assert PIN not in other.text

    said = await porter.told(
        "POST",
        f"/{order_id}/resubmit",
        {"losing_carrier_information": {"business_name": "Acme Incorporated"}},
    )
    assert said["needs_new_loa"] is True
    [(_, asked, _)] = workflows.told
    assert asked == ResubmitAsked(revision=2, changed=("customer_name",))
    details = port_orders.details_of(await porter.row(order_id))
    assert details.account_name == "Acme Incorporated"
    assert details.service_address.street == "1 Main St"


async def test_a_new_pin_is_sealed_and_asks_for_no_new_letter(
    porter: Porter, workflows: PortWorkflows, settings: Settings
) -> None:
    order_id = await porter.placed(MOBILE)
    wrong_pin = SeenRejection(code=RejectionCode.PIN_INVALID, positions=(0,))
    await porter.stands(order_id, SubStatus.ACTION_REQUIRED, rejections=(wrong_pin,))
    said = await porter.told("POST", f"/{order_id}/resubmit", {"phone_number_pins": {MOBILE: PIN}})
    assert said["needs_new_loa"] is False
    assert workflows.told[0][1].changed == ("pin",)
    box = SecretBox.from_key_ring((settings.secret_keys or SecretStr("")).get_secret_value())
    async with porter.database.tenant(porter.tenant.org_id) as session:
        kept = await port_secrets.read(session, box, order_id)
    assert kept.pin_of(MOBILE) == PIN


async def test_what_was_cured_elsewhere_is_sent_again_as_it_is(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    await porter.stands(order_id, SubStatus.ACTION_REQUIRED, rejections=(NAME,))
    said = await porter.told("POST", f"/{order_id}/resubmit", {})
    assert said["needs_new_loa"] is False
    assert workflows.told[0][1] == ResubmitAsked(revision=2, changed=())


async def test_a_correction_that_is_still_wrong_is_refused(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    await porter.stands(order_id, SubStatus.ACTION_REQUIRED, rejections=(NAME,))
    blank = {"losing_carrier_information": {"customer_name": " "}}
    answer = await porter.ask("POST", f"/{order_id}/resubmit", blank)
    assert answer.status_code == 400
    assert code(await porter.ask("POST", f"/{await porter.placed(MOBILE)}/resubmit", {})) == (
        409,
        "PORT_NOTHING_TO_MEND",
    )
    assert workflows.told == []


async def test_an_order_goes_on_without_a_number(porter: Porter, workflows: PortWorkflows) -> None:
    order_id = await porter.placed(LANDLINE, "+14155550101")
    await porter.told("DELETE", f"/{order_id}/numbers/%2B14155550101")
    assert workflows.told[0][1] == DropAsked(position=1)
    unknown = await porter.ask("DELETE", f"/{order_id}/numbers/+14155550109")
    assert code(unknown) == (404, "NOT_FOUND")


async def test_a_split_order_names_the_parts_to_ask(porter: Porter) -> None:
    placed = await porter.told("POST", "/initiate", body(LANDLINE, MOBILE))
    whole = placed["port_request_id"]
    for path, sent in (
        ("resubmit", {}),
        ("reschedule", {"requested_date": good_day()}),
        ("activate", None),
        ("pins", {"pin": PIN}),
        ("resend-signature", None),
    ):
        assert code(await porter.ask("POST", f"/{whole}/{path}", sent)) == (409, "PORT_IS_SPLIT")


async def test_documents_and_pins_are_added_while_the_order_lives(porter: Porter) -> None:
    document_id = await add_document(porter.database, porter.tenant.org_id)
    order_id = await porter.placed(MOBILE)
    await porter.told("POST", f"/{order_id}/documents", {"documents": [document_id]})
    await porter.told("POST", f"/{order_id}/pins", {"pin": PIN, "pin_received_on": "2026-11-01"})
    facts: list[Any] = [each["fact"] for each in await porter.facts(order_id)]
    assert facts == ["submitted", "document_attached", "pin_supplied"]
    details = port_orders.details_of(await porter.row(order_id))
    assert (details.document_ids, str(details.pin_received_on)) == ((document_id,), "2026-11-01")
    stranger = await porter.ask("POST", f"/{order_id}/pins", {"phone_number_pins": {LANDLINE: "1"}})
    assert stranger.status_code == 400
    await porter.stands(order_id, SubStatus.FAILED, NumberStatus.FAILED)
    ended = await porter.ask("POST", f"/{order_id}/pins", {"pin": PIN})
    assert code(ended) == (409, "PORT_ALREADY_ENDED")


async def test_a_new_link_is_mailed_while_the_letter_waits_and_not_too_often(
    porter: Porter,
) -> None:
    order_id = await porter.placed()
    early = await porter.ask("POST", f"/{order_id}/resend-signature")
    assert code(early) == (409, "PORT_NOTHING_TO_SIGN")
    await porter.stands(order_id, SubStatus.AWAITING_SIGNATURE, NumberStatus.REQUESTED)
    answers = [await porter.ask("POST", f"/{order_id}/resend-signature") for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert [each["fact"] for each in await porter.facts(order_id)].count("link_resent") == 5
