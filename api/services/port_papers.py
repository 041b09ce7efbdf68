"""The letter of an order, its date as a calendar file, the link to sign, and the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from api.authentication import Principal
from api.changes import Change
from api.errors import Conflict, NotFound, RateLimited
from api.schemas.port_requests import SimulateRequest
from api.services import port_orders as orders
from api.services.actor import Actor
from api.services.audit import record
from api.services.port_commands import single
from api.services.port_documents import opened
from api.state import ApiState
from carriers.simulator import NAME, SimulatedCarrier
from domain.porting.calendar_file import calendar_file
from domain.porting.events import FactKind
from domain.porting.standing import state_in
from domain.porting.words import TERMINAL, NumberStatus, SubStatus
from storage import (
    port_letters,
    port_links,
    port_numbers,
    port_orders,
    port_signatures,
)

__all__ = [
    "NoDate",
    "NotSimulated",
    "NothingToSign",
    "SentAlready",
    "calendar",
    "letter",
    "resend_link",
    "simulate",
]

SHOWN_NUMBERS: Final = 20
_HERE: Final = frozenset({NumberStatus.PORTED, NumberStatus.VERIFIED})


class NothingToSign(Conflict):
    """No letter waits for a signature."""

    code = "PORT_NOTHING_TO_SIGN"
    default_message = "no letter of this order waits for a signature"


class NoDate(Conflict):
    """The losing carrier has confirmed none."""

    code = "PORT_NO_DATE"
    default_message = "no date is confirmed yet, so there is nothing for a calendar"


class NotSimulated(Conflict):
    """A real carrier has the order."""

    code = "PORT_NOT_SIMULATED"
    default_message = "only orders of the simulated carrier can be steered"


class SentAlready(Conflict):
    """The carrier goes by what it was told when it got the order."""

    code = "PORT_SENT_ALREADY"
    default_message = "the simulated carrier has the order already; choose before it is sent"


async def letter(
    state: ApiState, org_id: str, order_id: str, revision: int | None
) -> tuple[str, AsyncIterator[bytes]]:
    """The name and content of a letter, sealed if it was signed; without ``revision`` the newest.

    Raises ``NotFound`` and ``Unavailable``.
    """
    async with state.database.tenant(org_id) as session:
        await orders.get(session, order_id)
        letters = await port_letters.of_order(session, order_id)
    found = [each for each in letters if revision is None or each.revision == revision]
    if not found:
        raise NotFound("there is no letter of authorization yet")
    newest = found[-1]
    state_word = "signed" if newest.signed_key else "unsigned"
    content = await opened(state, newest.signed_key or newest.unsigned_key)
    return f"loa-{order_id}-{newest.revision}-{state_word}.pdf", content


async def calendar(state: ApiState, org_id: str, order_id: str) -> str:
    """The confirmed date as iCalendar. Raises ``NotFound`` and ``NoDate``."""
    async with state.database.tenant(org_id) as session:
        order = await single(session, order_id)
        rows = await port_numbers.of_order(session, order_id)
    if order.foc_at is None or (order.sub_status in TERMINAL and order.completed_at is None):
        raise NoDate
    numbers = [each.number for each in rows if each.status is not NumberStatus.DROPPED]
    shown = ", ".join(numbers[:SHOWN_NUMBERS])
    more = len(numbers) - SHOWN_NUMBERS
    known = state_in(order.standing)
    return calendar_file(
        f"{order_id}@trunkline",
        starts_at=order.foc_at,
        summary=f"Port of {len(numbers)} number(s) from {order.losing_carrier or 'another carrier'}",
        description=(
            f"Order {order_id}\n{shown}{f' and {more} more' if more > 0 else ''}\n"
            "Be ready for calls. Do not cancel the present service before the numbers are here."
        ),
        made_at=order.updated_at,
        sequence=0 if known is None else known.foc_changes,
    )


async def resend_link(
    state: ApiState, change: Change, principal: Principal, actor: Actor, order_id: str
) -> None:
    """Mail a new link to the letter; those before are invalid at once.

    Raises ``NotFound``, ``NothingToSign`` and ``RateLimited``.
    """
    now = datetime.now(UTC)
    async with state.database.tenant(principal.org_id) as session:
        order = await single(session, order_id)
        if order.sub_status is not SubStatus.AWAITING_SIGNATURE:
            raise NothingToSign
    async with state.database.system() as session:
        admission = await port_links.admit(session, order_id, f"org:{principal.org_id}", now=now)
    if not admission.admitted:
        raise RateLimited(
            "enough links were mailed in the last hour", retry_after=admission.retry_after
        )
    session = await change.of(principal.org_id)
    order = await orders.get(session, order_id, for_update=True)
    if order.sub_status is not SubStatus.AWAITING_SIGNATURE:
        raise NothingToSign
    await port_signatures.invalidate(session, order_id, now=now)
    await port_orders.tell(session, order.org_id, order_id, FactKind.LINK_RESENT)
    await record(
        session,
        actor,
        org_id=order.org_id,
        action="port.resend_signature",
        subject=("port", order_id),
    )


async def simulate(
    state: ApiState,
    change: Change,
    principal: Principal,
    actor: Actor,
    order_id: str,
    body: SimulateRequest,
) -> None:
    """Steer the simulated carrier, or let something happen to the order.

    Raises ``NotFound``, ``NotSimulated``, ``SentAlready`` and ``Conflict``.
    """
    carrier, now = state.porting.carrier, datetime.now(UTC)
    async with state.database.tenant(principal.org_id) as session:
        order = await single(session, order_id)
    if order.carrier != NAME or not isinstance(carrier, SimulatedCarrier):
        raise NotSimulated
    if body.scenario is not None and not await carrier.choose(order_id, body.scenario, now=now):
        raise SentAlready
    session = await change.of(principal.org_id)
    if body.event == "inbound_call":
        rows = await port_numbers.of_order(session, order_id)
        here = [each for each in rows if each.status in _HERE]
        await port_numbers.note_called(session, order_id, {each.number: now for each in here})
        positions = [each.position for each in here]
        await port_orders.tell(
            session, order.org_id, order_id, FactKind.FIRST_INBOUND, positions=positions
        )
    elif body.event == "carrier_news":
        await port_orders.tell(session, order.org_id, order_id, FactKind.CARRIER_EVENT)
    await record(
        session,
        actor,
        org_id=order.org_id,
        action="port.simulate",
        subject=("port", order_id),
        after=body.model_dump(mode="json", exclude_none=True),
    )
