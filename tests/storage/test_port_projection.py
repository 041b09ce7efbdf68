"""What a workflow knows is written once for each generation, with what is told of the way there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.porting.order import PortSecrets
from domain.porting.rejections import RejectionCode
from domain.porting.words import NumberStatus, SubStatus
from storage import port_notices, port_numbers, port_orders, port_projection, port_secrets
from storage import port_timeline as timeline
from storage.engine import Database
from storage.port_notices import NewNotice
from storage.port_projection import ProjectedNumber
from storage.port_timeline import NewEntry
from storage.secret_box import SecretBox, generate_key
from storage.tables import NoticeChannel, PortOrder
from tests.storage.factories import NOON
from tests.storage.port_rows import a_projection, placed

pytestmark = pytest.mark.postgres

A, B = "+12025550101", "+12025550102"
N, S = NumberStatus, SubStatus
BOX = SecretBox.from_key_ring(generate_key("2026"))


def an_entry(key: str, **fields: object) -> NewEntry:
    return NewEntry(
        **{  # type: ignore[arg-type]
            "entry_key": key,
            "at": NOON,
            "kind": "transition",
            "actor": "losing_carrier",
            "text": "The losing carrier confirmed a date.",
            **fields,
        }
    )


def a_notice(key: str, recipient: str = "it@acme.example") -> NewNotice:
    return NewNotice(
        id=f"ntc_{key}_{recipient}",
        transition_key=key,
        channel=NoticeChannel.EMAIL,
        recipient=recipient,
        message_id=f"<{key}@trunkline>",
        content={"subject": "A date was set", "body": "…"},
    )


async def order_of(database: Database, org_id: str, order_id: str) -> PortOrder:
    async with database.tenant(org_id) as session:
        found = await port_orders.get(session, order_id)
    assert found is not None
    return found


async def test_a_projection_is_the_order_as_it_is_shown(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A, B)
    foc_at = NOON + timedelta(days=7)
    projection = a_projection(
        1,
        S.FOC_CONFIRMED,
        N.ACCEPTED,
        N.REJECTED,
        carrier_order_id="sim_1",
        state={"order_id": new.id, "generation": 1},
        foc_at=foc_at,
        cancel_cutoff_at=foc_at - timedelta(days=2),
        timeline=[
            an_entry(
                "1",
                from_sub_status=S.LSR_SENT,
                to_sub_status=S.FOC_CONFIRMED,
                raw="FOC \x00 12/01",
                data={"positions": [0]},
            ),
            an_entry("1:number"),
        ],
        notices=[a_notice("foc"), a_notice("foc", "cfo@acme.example")],
    )
    async with database.tenant(org_id) as session:
        assert await port_projection.project(session, new.id, projection)
    order = await order_of(database, org_id, new.id)
    assert (order.status, order.sub_status) == ("in_progress", "foc_confirmed")
    assert (order.carrier_order_id, order.foc_at, order.generation) == ("sim_1", foc_at, 1)
    assert order.state == {"order_id": new.id, "generation": 1}
    assert (order.standing, order.updated_at) == ({"generation": 1}, projection.at)
    async with database.tenant(org_id) as session:
        entries = await timeline.page(session, new.id, limit=9)
        notices = await port_notices.pending(session, new.id)
        numbers = await port_numbers.of_order(session, new.id)
    assert [each.entry_key for each in entries] == ["1", "1:number"]
    assert (entries[0].to_sub_status, entries[0].raw) == ("foc_confirmed", "FOC � 12/01")
    assert entries[0].data == {"positions": [0]}
    assert len(notices) == 2
    assert [each.status for each in numbers] == ["accepted", "rejected"]


@pytest.mark.parametrize("generation", [2, 1])
async def test_what_comes_again_or_too_late_changes_nothing(
    database: Database, org_id: str, generation: int
) -> None:
    new = await placed(database, org_id, A)
    late = a_projection(
        generation,
        S.ACTION_REQUIRED,
        N.REJECTED,
        timeline=[an_entry("late")],
        notices=[a_notice("late")],
    )
    async with database.tenant(org_id) as session:
        newest = a_projection(2, S.SUPP_SENT, N.SUBMITTED)
        assert await port_projection.project(session, new.id, newest)
        assert not await port_projection.project(session, new.id, late)
        assert not await port_projection.project(session, "port_none", late)
        assert await timeline.page(session, new.id, limit=9) == []
        assert await port_notices.of_order(session, new.id) == []
        [number] = await port_numbers.of_order(session, new.id)
    assert (await order_of(database, org_id, new.id)).sub_status is S.SUPP_SENT
    assert number.status is N.SUBMITTED


async def test_a_transition_is_told_once_whatever_its_generation(
    database: Database, org_id: str
) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        for generation in (1, 2):
            projection = a_projection(
                generation,
                S.LSR_SENT,
                N.SUBMITTED,
                timeline=[an_entry("sent"), an_entry(f"seen:{generation}")],
                notices=[a_notice("sent")],
            )
            assert await port_projection.project(session, new.id, projection)
        entries = await timeline.page(session, new.id, limit=9)
        assert len(await port_notices.of_order(session, new.id)) == 1
    assert [each.entry_key for each in entries] == ["sent", "seen:1", "seen:2"]


async def test_numbers_keep_the_times_at_which_they_came(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A, B)
    async with database.tenant(org_id) as session:
        for generation, first in enumerate((N.ACTIVATING, N.PORTED, N.VERIFIED, N.VERIFIED), 1):
            projection = a_projection(generation, S.VERIFYING, first, N.PORTED)
            assert await port_projection.project(session, new.id, projection)
        one, two = await port_numbers.of_order(session, new.id)
    assert one.ported_at == NOON + timedelta(minutes=2)
    assert one.verified_at == NOON + timedelta(minutes=3)
    assert (two.ported_at, two.verified_at) == (NOON + timedelta(minutes=1), None)


@pytest.mark.parametrize(
    ("sub_status", "status", "is_free"),
    [
        (S.CANCELED, N.CANCELED, True),
        (S.COMPLETED, N.PORTED, True),
        (S.FOC_CONFIRMED, N.DROPPED, True),
        (S.ACTION_REQUIRED, N.REJECTED, False),
    ],
)
async def test_a_number_is_free_once_it_or_its_order_has_ended(
    database: Database, org_id: str, sub_status: SubStatus, status: NumberStatus, is_free: bool
) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        assert await port_projection.project(session, new.id, a_projection(1, sub_status, status))
    if not is_free:
        with pytest.raises(port_numbers.NumbersTaken):
            await placed(database, org_id, A)
        return
    again = await placed(database, org_id, A)
    # Whatever becomes of the old order, it does not take the number back.
    async with database.tenant(org_id) as session:
        back = a_projection(2, S.LSR_SENT, N.SUBMITTED)
        assert await port_projection.project(session, new.id, back)
        [old], [held] = (await port_numbers.of_orders(session, [new.id, again.id])).values()
    assert {old.order_id: old.held, held.order_id: held.held} == {new.id: False, again.id: True}


async def test_a_rejection_of_a_number_comes_and_goes(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        for generation, code in enumerate((RejectionCode.NUMBER_LOCKED, None), 1):
            number = ProjectedNumber(position=0, status=N.REJECTED, rejection=code)
            projection = a_projection(generation, S.ACTION_REQUIRED, numbers=[number])
            assert await port_projection.project(session, new.id, projection)
            [row] = await port_numbers.of_order(session, new.id)
            assert row.rejection == code


async def test_secrets_are_sealed_merged_and_gone_with_the_order(
    database: Database, org_id: str
) -> None:
    first = PortSecrets(account_number="0012-34", pin="4711", pins={A: "1111"})
    sealed = port_secrets.seal(BOX, org_id, first)
    assert b"0012-34" not in sealed
    new = await placed(database, org_id, A, secrets_sealed=sealed)
    async with database.tenant(org_id) as session:
        merged = await port_secrets.merge(
            session, BOX, new.id, PortSecrets(pin="9999", pins={B: "2"})
        )
        assert merged == PortSecrets(account_number="0012-34", pin="9999", pins={A: "1111", B: "2"})
        assert await port_secrets.read(session, BOX, new.id) == merged
        ended = a_projection(1, S.CANCELED, N.CANCELED)
        assert await port_projection.project(session, new.id, ended)
        assert await port_secrets.read(session, BOX, new.id) == PortSecrets()
        assert await port_secrets.merge(session, BOX, new.id, first) is None
        assert await port_secrets.merge(session, BOX, "port_none", first) is None
        assert await port_secrets.read(session, BOX, "port_none") == PortSecrets()


async def test_secrets_can_be_erased_before_the_end(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        assert await port_secrets.merge(session, BOX, new.id, PortSecrets(pin="1")) is not None
        await port_secrets.erase(session, new.id)
        assert await port_secrets.read(session, BOX, new.id) == PortSecrets()


async def test_what_the_carrier_and_the_process_said_stays(database: Database, org_id: str) -> None:
    new = await placed(database, org_id, A)
    async with database.tenant(org_id) as session:
        for generation, said in enumerate(
            ({"carrier_order_id": "sim_1", "state": {"a": 1}}, {}), 1
        ):
            projection = a_projection(generation, S.LSR_SENT, N.SUBMITTED, **said)
            assert await port_projection.project(session, new.id, projection)
    order = await order_of(database, org_id, new.id)
    assert (order.carrier_order_id, order.state, order.generation) == ("sim_1", {"a": 1}, 2)
