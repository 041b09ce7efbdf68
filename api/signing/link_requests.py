"""Asking for a link: the page of an order, and the mail to its authorized representative."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from api.signing.visitor import Visitor
from api.state import ApiState
from domain.porting.events import FactKind
from domain.porting.signature_links import masked_mailbox
from domain.porting.words import SubStatus, public_text
from storage import port_links, port_orders
from storage.ids import is_id
from storage.port_links import Admission

__all__ = ["OrderPage", "OrderStanding", "ask_for_link", "order_page"]


class OrderStanding(StrEnum):
    """What the page of an order offers."""

    WAITS = "waits"
    """A link can be mailed."""
    NOT_YET = "not_yet"
    """Its letter is not made yet."""
    DONE = "done"
    """No signature is missing."""


@dataclass(frozen=True, slots=True)
class OrderPage:
    """What a visitor is told of an order: nothing that its mailbox's owner alone should know."""

    order_id: str
    standing: OrderStanding
    mailbox: str
    said: str


async def order_page(state: ApiState, order_id: str) -> OrderPage | None:
    """The page of an order; ``None`` when there is no such order."""
    if not is_id("port", order_id):
        return None
    async with state.database.system() as session:
        order = await port_orders.get(session, order_id)
    if order is None or order.sub_status is SubStatus.DRAFT:
        return None
    if order.sub_status is SubStatus.AWAITING_SIGNATURE and order.cancel_requested_at is None:
        standing = OrderStanding.WAITS
    elif order.sub_status in (SubStatus.VALIDATING, SubStatus.AWAITING_DOCUMENTS):
        standing = OrderStanding.NOT_YET
    else:
        standing = OrderStanding.DONE
    mailbox = masked_mailbox(port_orders.details_of(order).authorized_representative_email)
    return OrderPage(order.id, standing, mailbox, public_text(order.sub_status))


async def ask_for_link(
    state: ApiState, order_id: str, visitor: Visitor, now: datetime
) -> Admission:
    """Have a new link mailed, if there is such an order and it waits for a signature.

    Who asks learns neither: the answer is about how often was asked.
    """
    async with state.database.system() as session:
        # What is no id names no order, and is counted all the same.
        admission = await port_links.admit(session, order_id[:64], visitor.source, now=now)
        if not admission.admitted or not is_id("port", order_id):
            return admission
        order = await port_orders.get(session, order_id)
        if order is not None and order.sub_status is SubStatus.AWAITING_SIGNATURE:
            await port_orders.tell(session, order.org_id, order.id, FactKind.LINK_RESENT)
    return admission
