"""How orders are driven through their weeks: what their carrier does, what is told and asked meanwhile.

A carrier's script has a step for each look at it; a drive says what its customer and the relay do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

from temporalio.client import Client

from domain.porting.effects import NoticeKind
from domain.porting.events import (
    ActivateAsked,
    DropAsked,
    FactKind,
    RescheduleAsked,
    ResubmitAsked,
    Validated,
)
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.words import NumberStatus, SubStatus
from tests.domain.porting.lives import timing
from tests.workflows.fake_port import Carrier, FakePort, Handle, start_port
from tests.workflows.harness import new_worker
from tests.workflows.ports import DAY, HOUR, Porting
from tests.workflows.scenarios import Start

C = CarrierStatus
N = NumberStatus
S = SubStatus

Says = Callable[[Carrier, datetime], None]
Drive = Callable[[Porting], Awaitable[Handle]]


def ordered(fake: Callable[[], FakePort], drive: Drive) -> Start:
    """An order that is driven so, to its end."""

    async def run(client: Client) -> Handle:
        made = fake()
        async with new_worker(client, made.all()):
            handle = await drive(Porting(client, made))
            await handle.result()
            return handle

    return run


def scripted(*script: Says, count: int = 2, **options: Any) -> Callable[[], FakePort]:
    """An order of so many numbers whose carrier does this, a step with each look."""

    def made() -> FakePort:
        fake = FakePort(count, **options)
        fake.carrier.script = list(script)
        return fake

    return made


def quiet(carrier: Carrier, now: datetime) -> None:
    """Nothing new."""


def commits(carrier: Carrier, now: datetime) -> None:
    """The losing carrier commits itself, to the day after the next."""
    carrier.says(C.FOC_CONFIRMED, N.ACCEPTED, foc_at=now + 2 * DAY)


def commits_to_now(carrier: Carrier, now: datetime) -> None:
    """It commits itself to a time that has come."""
    carrier.says(C.FOC_CONFIRMED, N.ACCEPTED, foc_at=now)


def commits_to_nine(carrier: Carrier, now: datetime) -> None:
    """It commits itself, but for one number that it rejects."""
    carrier.says(C.FOC_CONFIRMED, N.ACCEPTED, foc_at=now + 2 * DAY)
    carrier.numbers[-1] = N.REJECTED


def moves(carrier: Carrier, now: datetime) -> None:
    """It moves its date."""
    carrier.says(C.FOC_CONFIRMED, N.ACCEPTED, foc_at=now + 3 * DAY)


def ports(carrier: Carrier, now: datetime) -> None:
    """Every number is switched."""
    carrier.says(C.COMPLETED, N.PORTED)


def ports_nine(carrier: Carrier, now: datetime) -> None:
    """Every number but the rejected one is switched."""
    carrier.says(C.COMPLETED, N.PORTED)
    carrier.numbers[-1] = N.REJECTED


def rejects(code: RejectionCode) -> Says:
    """It rejects the order."""

    def says(carrier: Carrier, now: datetime) -> None:
        carrier.says(C.ACTION_REQUIRED, None, rejections=(SeenRejection(code=code),))

    return says


def cancels(carrier: Carrier, now: datetime) -> None:
    """It has canceled the order."""
    carrier.says(C.CANCELED, N.CANCELED)


def away() -> FakePort:
    """An order whose carrier takes the request and loses its answer three times."""
    fake = scripted(commits, ports)()
    fake.carrier.loses = 3
    return fake


def no_more() -> FakePort:
    """What is no order of its own: the whole of a split one, whose parts are."""
    fake = FakePort()
    fake.gone = True
    return fake


def undocumented() -> FakePort:
    """An order that lacks a document at first."""
    fake = FakePort()
    fake.outcomes = [Validated(documents_missing=True)]
    return fake


def unportable() -> FakePort:
    """An order of numbers that cannot be ported."""
    fake = FakePort()
    lost = SeenRejection(code=RejectionCode.NOT_PORTABLE, positions=(0, 1))
    fake.outcomes = [Validated(unportable=(lost,))]
    return fake


def overdue() -> FakePort:
    """An order whose date passes; with fewer looks at it than at a real one."""
    fake = scripted(commits, *[quiet] * 20, ports)()
    half = DAY / 2
    fake.timing = timing(poll_near=half, poll_far=half, foc_watch=half)
    return fake


async def signed(order: Porting) -> Handle:
    handle = await order.placed()
    await order.signed()
    return handle


async def unsigned(order: Porting) -> Handle:
    return await order.placed()


async def started(order: Porting) -> Handle:
    return await start_port(order.client, order.order_id)


async def corrected(order: Porting) -> Handle:
    handle = await signed(order)
    await order.becomes(S.ACTION_REQUIRED)
    await order.ask(ResubmitAsked(revision=2, changed=("pin",)))
    return handle


async def signed_anew(order: Porting) -> Handle:
    handle = await signed(order)
    await order.becomes(S.ACTION_REQUIRED)
    await order.ask(ResubmitAsked(revision=2, changed=("customer_name",)))
    await order.signed(letter=2)
    return handle


async def canceled(order: Porting) -> Handle:
    handle = await order.sent()
    await order.cancel()
    return handle


async def canceled_unsent(order: Porting) -> Handle:
    handle = await order.placed()
    await order.cancel()
    return handle


async def rescheduled(order: Porting) -> Handle:
    handle = await signed(order)
    await order.becomes(S.FOC_CONFIRMED)
    await order.ask(RescheduleAsked(revision=2, requested=date(2027, 1, 5)))
    return handle


async def rescheduled_often(order: Porting) -> Handle:
    handle = await order.sent()
    await order.committed(5 * DAY)
    for revision in (2, 3, 4):
        await order.ask(RescheduleAsked(revision=revision, requested=date(2027, 1, 5)))
    fourth = RescheduleAsked(revision=5, requested=date(2027, 1, 5))
    assert await order.refusal(fourth) is OrderRefusal.TOO_MANY_CHANGES
    await order.ported()
    return handle


async def declined(order: Porting) -> Handle:
    handle = await order.placed()
    await order.told(FactKind.LOA_DECLINED, letter=1)
    return handle


async def documented(order: Porting) -> Handle:
    handle = await order.placed()
    await order.told(FactKind.DOCUMENT_ATTACHED)
    await order.becomes(S.AWAITING_SIGNATURE)
    await order.told(FactKind.LOA_DECLINED, letter=1)
    return handle


async def linked_again(order: Porting) -> Handle:
    handle = await order.placed()
    before = order.fake.notices.count(NoticeKind.SIGNATURE_LINK)
    await order.told(FactKind.LINK_RESENT)
    await order.until(lambda: order.fake.notices.count(NoticeKind.SIGNATURE_LINK) > before)
    await order.told(FactKind.LOA_DECLINED, letter=1)
    return handle


async def activated(order: Porting) -> Handle:
    handle = await signed(order)
    await order.until(lambda: NoticeKind.ACTIVATION_DUE in order.fake.notices)
    await order.ask(ActivateAsked())
    return handle


async def dropped(order: Porting) -> Handle:
    handle = await order.sent()
    await order.ask(DropAsked(position=1))
    return handle


async def called(order: Porting) -> Handle:
    handle = await order.sent()
    await order.committed(2 * HOUR)
    await order.ported()
    await order.becomes(S.VERIFYING)
    await order.told(FactKind.FIRST_INBOUND, 0, 1)
    return handle


async def told_badly(order: Porting) -> Handle:
    """Notices come twice, and one from before the newest comes last."""
    handle = await order.sent()
    await order.committed(5 * DAY)
    looks = order.fake.looks
    await order.told(FactKind.CARRIER_EVENT)
    order.fake.carrier.status, order.fake.carrier.sequence = C.SUBMITTED, 0
    await order.told(FactKind.CARRIER_EVENT)
    await order.until(lambda: order.fake.looks >= looks + 2)
    order.fake.carrier.sequence = 2
    await order.ported()
    return handle


async def told_too_early(order: Porting) -> Handle:
    """The carrier's notice is here before its answer to the request."""
    handle = await order.placed()
    await order.signed()
    await order.told(FactKind.CARRIER_EVENT)
    return handle
