"""The simulated carrier in PostgreSQL: one course for all processes, each command once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from carriers.base import (
    CarrierRefused,
    CarrierUnavailable,
    PortSubmission,
    UnknownCarrierOrder,
    attempt_of,
    command_key,
)
from carriers.simulator import NAME, SimulatedCarrier, SimulatedPostman, carrier_order_id_of
from carriers.simulator_state import Scenario
from domain.porting.order import PortSecrets
from domain.porting.snapshot import CarrierStatus
from storage.engine import Database
from tests.carriers.orders import DAY, MONDAY, NUMBERS, a_submission
from tests.carriers.test_simulator_webhooks import SECRET

pytestmark = pytest.mark.postgres

HOUR = timedelta(hours=1)
WANTED = a_submission(requested_date=date(2026, 12, 8))
SIM = carrier_order_id_of("port_1")


def a_carrier(database: Database) -> SimulatedCarrier:
    return SimulatedCarrier(database)


async def status_of(database: Database, days: float) -> CarrierStatus:
    found = await a_carrier(database).snapshot(SIM, now=MONDAY + days * DAY)
    return found.status


async def states(database: Database) -> list[str]:
    async with database.system() as session:
        return list(await session.scalars(text("SELECT state::text FROM simulated_ports")))


async def test_an_order_takes_its_course_in_every_process(database: Database) -> None:
    carrier = a_carrier(database)
    assert carrier.name == NAME
    [check] = await carrier.check([NUMBERS[0]], now=MONDAY)
    assert check.portable
    receipt = await carrier.submit(WANTED, now=MONDAY)
    assert receipt.carrier_order_id == SIM
    assert [await status_of(database, days) for days in (0, 0.5, 2, 30)] == [
        "received",
        "submitted",
        "foc_confirmed",
        "completed",
    ]


async def test_a_command_that_is_repeated_is_taken_once(database: Database) -> None:
    async def submit() -> str:
        receipt = await a_carrier(database).submit(WANTED, now=MONDAY)
        return receipt.carrier_order_id

    assert set(await asyncio.gather(submit(), submit(), submit())) == {SIM}
    carrier = a_carrier(database)
    key = command_key("port_1", 2)
    assert attempt_of(key) == 2
    for minutes in (0, 30):
        at = MONDAY + 2 * DAY + timedelta(minutes=minutes)
        await carrier.reschedule(SIM, key, date(2026, 12, 10), now=at)
        await carrier.cancel(SIM, command_key("port_1", 3), now=at)
    [state] = await states(database)
    assert state.count('"key"') == 3
    assert await status_of(database, 3) == "canceled"


async def test_a_refusal_leaves_nothing(database: Database) -> None:
    carrier = a_carrier(database)
    with pytest.raises(CarrierRefused):
        await carrier.submit(a_submission("+12025550190"), now=MONDAY)
    assert await states(database) == []
    await carrier.submit(WANTED, now=MONDAY)
    before = await states(database)
    with pytest.raises(CarrierRefused):
        await carrier.activate(SIM, "port_1:2", now=MONDAY)
    with pytest.raises(CarrierRefused):
        await carrier.supplement(SIM, a_submission("+12025550190", attempt=2), now=MONDAY)
    assert await states(database) == before


async def test_what_it_does_not_know_it_says(database: Database) -> None:
    carrier = a_carrier(database)
    with pytest.raises(UnknownCarrierOrder):
        await carrier.snapshot("sim_none", now=MONDAY)
    with pytest.raises(UnknownCarrierOrder):
        await carrier.supplement("sim_none", WANTED, now=MONDAY)
    with pytest.raises(UnknownCarrierOrder):
        await carrier.cancel("sim_none", "port_1:1", now=MONDAY)
    assert await carrier.choose("port_1", Scenario.HAPPY, now=MONDAY)
    with pytest.raises(UnknownCarrierOrder):
        await carrier.snapshot(SIM, now=MONDAY)


async def test_a_scenario_is_chosen_until_the_order_is_placed(database: Database) -> None:
    carrier = a_carrier(database)
    assert await carrier.choose("port_1", Scenario.SILENT, now=MONDAY)
    assert await carrier.choose("port_1", Scenario.PIN_INVALID, now=MONDAY)
    await carrier.submit(WANTED, now=MONDAY)
    assert not await carrier.choose("port_1", Scenario.HAPPY, now=MONDAY)
    assert await status_of(database, 2) == "action_required"
    mended = a_submission(attempt=2, secrets=PortSecrets(pin="482915"))
    for _ in range(2):
        await carrier.supplement(SIM, mended, now=MONDAY + 2 * DAY)
    assert await status_of(database, 4) == "foc_confirmed"
    [state] = await states(database)
    assert "482915" not in state
    assert "Acme" not in state


async def test_an_order_whose_reply_was_lost_is_there(database: Database) -> None:
    carrier = a_carrier(database)
    await carrier.choose("port_1", Scenario.REPLY_LOST, now=MONDAY)
    with pytest.raises(CarrierUnavailable):
        await carrier.submit(WANTED, now=MONDAY)
    assert await status_of(database, 0) == "received"
    receipt = await carrier.submit(WANTED, now=MONDAY + HOUR)
    assert receipt.carrier_order_id == SIM


async def test_the_scale_is_that_of_the_first_request(database: Database) -> None:
    await SimulatedCarrier(database, scale=10_000).submit(WANTED, now=MONDAY)
    found = await a_carrier(database).snapshot(SIM, now=MONDAY + timedelta(minutes=2))
    assert found.status == "completed"


class Mailbox:
    """Keeps what is sent; refuses so many first."""

    def __init__(self, refusing: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.refusing = refusing

    async def send(self, headers: Sequence[tuple[str, str]], body: bytes) -> bool:
        if self.refusing:
            self.refusing -= 1
            return False
        self.bodies.append(body)
        return True


def a_postman(database: Database, mailbox: Mailbox) -> SimulatedPostman:
    return SimulatedPostman(database, mailbox.send, SECRET)


async def placed(database: Database, *order_ids: str) -> None:
    for order_id in order_ids:
        fields = {name: getattr(WANTED, name) for name in ("kind", "details", "secrets", "letter")}
        submission = PortSubmission(order_id=order_id, attempt=1, numbers=NUMBERS, **fields)
        await a_carrier(database).submit(submission, now=MONDAY)


async def test_webhooks_are_sent_when_they_are_due_and_once(database: Database) -> None:
    await placed(database, "port_1", "port_2")
    mailbox = Mailbox()
    postmen = [a_postman(database, mailbox) for _ in range(3)]
    assert sum(await asyncio.gather(*(each.deliver(now=MONDAY) for each in postmen))) == 2
    assert await postmen[0].deliver(now=MONDAY + timedelta(minutes=9)) == 0
    assert await postmen[0].deliver(now=MONDAY + 2 * DAY) == 4
    assert await postmen[0].deliver(now=MONDAY + 60 * DAY) == 4
    assert await postmen[0].deliver(now=MONDAY + 90 * DAY) == 0
    assert len(set(mailbox.bodies)) == len(mailbox.bodies) == 10


async def test_a_webhook_that_did_not_arrive_is_sent_again(database: Database) -> None:
    await placed(database, "port_1")
    mailbox = Mailbox(refusing=1)
    postman = a_postman(database, mailbox)
    later = MONDAY + HOUR
    assert await postman.deliver(now=later) == 0
    assert await postman.deliver(now=later + postman.patience / 2) == 0
    assert await postman.deliver(now=later + postman.patience) == 2
    assert [b'"sequence":0' in each for each in mailbox.bodies] == [True, False]


async def test_what_a_dead_process_had_taken_is_sent_after_a_while(database: Database) -> None:
    await placed(database, "port_1")

    async def die(headers: Sequence[tuple[str, str]], body: bytes) -> bool:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await SimulatedPostman(database, die, SECRET).deliver(now=MONDAY)
    mailbox = Mailbox()
    postman = a_postman(database, mailbox)
    assert await postman.deliver(now=MONDAY) == 0
    assert await postman.deliver(now=MONDAY + postman.patience) == 1
    assert SECRET not in repr(postman)
