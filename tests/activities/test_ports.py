"""An order goes through its life over rows, papers and the simulated carrier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.contracts import OpenedPort
from carriers.simulator_state import Scenario
from domain.porting.events import CancelAsked, DropAsked, FactKind, RescheduleAsked, ResubmitAsked
from domain.porting.order import PortSecrets
from domain.porting.rejections import RejectionCode
from domain.porting.state import Warned
from domain.porting.words import NumberStatus, SubStatus
from storage import bindings, port_letters, port_orders, port_secrets, trunks
from storage.engine import Database
from storage.secret_box import SecretBox
from tests.activities.port_life import PortLife
from tests.storage.factories import add_organization
from tests.storage.port_rows import an_order

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)
S = SubStatus
ONE, TWO, THREE = "+12025550101", "+12025550102", "+12025550103"

Place = Callable[..., Awaitable[PortLife]]


@pytest.fixture
def place(database: Database, tmp_path: Path, box: SecretBox) -> Place:
    """Places an order whose letter waits for its signature."""

    async def placed(*numbers: str, **options: Any) -> PortLife:
        life = await PortLife.of(database, tmp_path, box, *numbers, **options)
        await life.begin()
        return life

    return placed


async def test_numbers_come_and_are_attached(place: Place) -> None:
    life = await place(ONE, TWO)
    assert life.status() is S.AWAITING_SIGNATURE
    await life.sign()
    assert life.status() is S.LSR_SENT
    await life.wait(30 * DAY, until=S.VERIFYING)
    assert {each.status for each in await life.numbers()} == {NumberStatus.PORTED}
    assert {number: len(made) for number, made in (await life.bound()).items()} == {ONE: 1, TWO: 1}
    await life.told(FactKind.FIRST_INBOUND, 0, 1)
    row = await life.row()
    assert row.sub_status is S.COMPLETED
    assert row.secrets_sealed is None
    assert row.completed_at == life.now
    assert [each.held for each in await life.numbers()] == [False, False]
    assert life.statuses == [
        S.VALIDATING,
        S.AWAITING_SIGNATURE,
        S.SUBMITTING,
        S.LSR_SENT,
        S.FOC_CONFIRMED,
        S.ACTIVATING,
        S.VERIFYING,
        S.COMPLETED,
    ]
    told = [each.to_sub_status for each in await life.timeline() if each.to_sub_status is not None]
    assert told == life.statuses


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario.FOC_MOVED,
        Scenario.SILENT,
        Scenario.REPLY_LOST,
        Scenario.WEBHOOK_LOST,
        Scenario.WEBHOOK_REORDERED,
        Scenario.SUP_LIMIT,
    ],
)
async def test_whatever_the_carrier_does_the_numbers_come(place: Place, scenario: Scenario) -> None:
    life = await place(ONE, TWO, scenario=scenario)
    await life.sign()
    await life.wait(40 * DAY)
    assert life.status() is S.COMPLETED
    commands = [each for each in life.known.numbers if each.status is NumberStatus.VERIFIED]
    assert len(commands) == 2
    if scenario is Scenario.FOC_MOVED:
        assert Warned.FOC_MOVED in life.known.warnings
    if scenario is Scenario.SILENT:
        assert "nudged" in [each.kind for each in await life.timeline()]


async def test_a_wrong_pin_is_corrected(place: Place) -> None:
    life = await place(ONE, TWO, scenario=Scenario.PIN_INVALID)
    await life.sign()
    await life.wait(10 * DAY, until=S.ACTION_REQUIRED)
    assert life.known.codes == (RejectionCode.PIN_INVALID,)
    async with life.database.tenant(life.org_id) as session:
        await port_secrets.merge(session, life.box, life.order_id, PortSecrets(pin="1234"))
    await life.told(FactKind.PIN_SUPPLIED)
    assert life.status() is S.SUPP_SENT
    await life.wait(40 * DAY)
    assert life.status() is S.COMPLETED


async def test_a_wrong_name_is_signed_anew(place: Place) -> None:
    life = await place(ONE, scenario=Scenario.NAME_MISMATCH)
    await life.sign()
    await life.wait(10 * DAY, until=S.ACTION_REQUIRED)
    async with life.database.tenant(life.org_id) as session:
        order = await port_orders.get(session, life.order_id)
        assert order is not None
        details = port_orders.details_of(order).model_copy(update={"customer_name": "Acme LLC"})
        revision = await port_orders.change_details(
            session, life.order_id, details, revision=order.revision, now=life.now
        )
    assert revision is not None
    await life.on(ResubmitAsked(revision=revision, changed=("customer_name",)))
    assert life.status() is S.AWAITING_SIGNATURE
    async with life.database.tenant(life.org_id) as session:
        letters = await port_letters.of_order(session, life.order_id)
    assert [each.revision for each in letters] == [1, 2]
    await life.sign()
    await life.wait(40 * DAY)
    assert life.status() is S.COMPLETED


async def test_one_number_of_three_does_not_come(place: Place) -> None:
    life = await place(ONE, TWO, THREE, scenario=Scenario.NUMBER_REJECTED)
    await life.sign()
    await life.wait(60 * DAY)
    assert life.status() is S.PARTIALLY_COMPLETED
    statuses = [each.status for each in await life.numbers()]
    assert statuses[:2] == [NumberStatus.VERIFIED] * 2
    assert statuses[2] in (NumberStatus.FAILED, NumberStatus.CANCELED)


async def test_the_order_goes_on_without_a_number_that_was_rejected(place: Place) -> None:
    life = await place(ONE, TWO, scenario=Scenario.NUMBER_REJECTED)
    await life.sign()
    await life.wait(5 * DAY, until=S.FOC_CONFIRMED)
    await life.on(DropAsked(position=1))
    await life.wait(60 * DAY)
    assert [each.status for each in await life.numbers()] == [
        NumberStatus.VERIFIED,
        NumberStatus.DROPPED,
    ]
    assert life.status() is S.COMPLETED


async def test_a_cancellation_in_time_ends_the_order(place: Place) -> None:
    life = await place(ONE)
    await life.sign()
    await life.on(CancelAsked())
    assert life.known.cancel_requested_at is not None
    await life.wait(10 * DAY)
    assert life.status() is S.CANCELED
    assert [each.status for each in await life.numbers()] == [NumberStatus.CANCELED]


async def test_a_cancellation_that_comes_too_late_is_said_to_have_missed(place: Place) -> None:
    life = await place(ONE, scenario=Scenario.LATE_CANCEL)
    await life.sign()
    await life.wait(10 * DAY, until=S.FOC_CONFIRMED)
    await life.on(CancelAsked())
    await life.wait(40 * DAY)
    assert life.status() is S.COMPLETED
    assert Warned.CANCEL_MISSED in life.known.warnings


async def test_a_conflict_at_the_switch_is_settled_with_another_date(place: Place) -> None:
    life = await place(ONE, scenario=Scenario.ACTIVATION_CONFLICT)
    await life.sign()
    await life.wait(30 * DAY, until=S.ACTION_REQUIRED)
    assert RejectionCode.NPAC_CONFLICT in life.known.codes
    async with life.database.tenant(life.org_id) as session:
        order = await port_orders.get(session, life.order_id)
        assert order is not None
        requested = (life.now + 10 * DAY).date()
        details = port_orders.details_of(order).model_copy(update={"requested_date": requested})
        revision = await port_orders.change_details(
            session, life.order_id, details, revision=order.revision, now=life.now
        )
    assert revision is not None
    await life.on(RescheduleAsked(revision=revision, requested=requested))
    await life.wait(60 * DAY)
    assert life.status() is S.COMPLETED


async def test_a_letter_that_nobody_signs_expires(place: Place) -> None:
    life = await place(ONE)
    await life.wait(31 * DAY)
    assert life.status() is S.EXPIRED
    assert (await life.row()).secrets_sealed is None
    reminders = [
        each for each in await life.notices() if each.content["subject"].startswith("Reminder")
    ]
    assert len(reminders) == 3


async def test_an_order_without_a_bill_waits_for_it(
    database: Database, tmp_path: Path, box: SecretBox
) -> None:
    life = await PortLife.of(database, tmp_path, box, ONE)
    async with database.tenant(life.org_id) as session:
        order = await port_orders.get(session, life.order_id)
        assert order is not None
        bare = port_orders.details_of(order).model_copy(update={"document_ids": ()})
        await port_orders.change_details(session, life.order_id, bare, revision=1, now=life.now)
    await life.begin()
    assert life.status() is S.AWAITING_DOCUMENTS


async def test_numbers_that_cannot_be_ported_leave_the_order_with_their_reason(
    place: Place,
) -> None:
    life = await place(ONE, "+12025550190")
    assert life.status() is S.AWAITING_SIGNATURE
    assert [(each.status, each.rejection) for each in await life.numbers()] == [
        (NumberStatus.REQUESTED, None),
        (NumberStatus.FAILED, "not_portable"),
    ]


async def test_a_number_that_belongs_to_somebody_else_is_not_taken(place: Place) -> None:
    life = await place(ONE, TWO)
    other = await add_organization(life.database)
    async with life.database.tenant(other) as session:
        await trunks.lock(session, other)
        await bindings.claim_inbound(session, other, [ONE])
    await life.sign()
    await life.wait(40 * DAY)
    assert life.status() is S.COMPLETED
    assert Warned.NOT_ATTACHED in life.known.warnings
    assert list(await life.bound()) == [TWO]
    [entry] = [each for each in await life.timeline() if each.entry_key == "attach:0"]
    assert "somebody else" in entry.text


async def test_numbers_of_an_order_whose_trunk_is_gone_are_told(place: Place) -> None:
    life = await place(ONE)
    async with life.database.tenant(life.org_id) as session:
        order = await port_orders.get(session, life.order_id)
        assert order is not None
        order.trunk_id = "trk_gone"
    await life.sign()
    await life.wait(40 * DAY)
    assert Warned.NOT_ATTACHED in life.known.warnings


async def test_a_lost_process_goes_on_from_its_row(place: Place) -> None:
    life = await place(ONE)
    await life.sign()
    before = life.known
    life.state = None
    await life.begin()
    assert life.known.sub_status is before.sub_status
    assert life.known.generation == before.generation
    await life.wait(40 * DAY)
    assert life.status() is S.COMPLETED


async def test_what_has_no_process_of_its_own_is_not_opened(place: Place) -> None:
    life = await place(ONE)
    gone = OpenedPort(order_id="port_gone", org_id=life.org_id)
    assert await life.activities.open(gone) is None
    draft = an_order(life.org_id, TWO, sub_status=S.DRAFT)
    async with life.database.tenant(life.org_id) as session:
        await port_orders.create(session, draft)
    opened = OpenedPort(order_id=draft.id, org_id=life.org_id)
    assert await life.activities.open(opened) is None


async def test_secrets_and_names_stay_out_of_what_enters_a_history(place: Place) -> None:
    secrets = PortSecrets(account_number="ACCT-99881", pin="7788")
    life = await place(ONE, secrets=secrets)
    await life.sign()
    await life.wait(40 * DAY)
    kept = life.known.model_dump_json() + str((await life.row()).standing)
    for word in ("ACCT-99881", "7788", "Acme", "jane@", ONE):
        assert word not in kept
    assert life.known.attempt == 1
