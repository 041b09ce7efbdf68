"""Webhooks of winning carriers: each only says which order has news, so the carrier is asked.

Without an API key: the carrier signs the bytes that it sends. A route exists for the carrier that the
operator chose, and only with its secret.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request

from api.dependencies import StateDep
from api.envelope import EnvelopeJson
from api.errors import AuthFailure, NotFound
from api.signed_bodies import read_signed
from carriers.simulator_webhooks import MAX_BYTES, WebhookRefused, verified
from domain.porting.events import FactKind
from observability.logs import get_logger
from storage import port_orders

__all__ = ["router"]

CARRIER = "simulator"

_log = get_logger("trunkline.porting")

router = APIRouter(include_in_schema=False, default_response_class=EnvelopeJson)


@router.post(f"/v1/carriers/{CARRIER}/porting-webhook")
async def post_notice(request: Request, state: StateDep) -> dict[str, Any]:
    """Take a notice. An order that is not known yet is 404, and the carrier sends it again."""
    secret = state.settings.porting_webhook_secret
    if secret is None or state.porting.carrier.name != CARRIER:
        raise NotFound("no such path")
    body = await read_signed(request, MAX_BYTES)
    try:
        notice = verified(request.headers, body, secret.get_secret_value(), now=datetime.now(UTC))
    except WebhookRefused as refusal:
        _log.warning("a carrier's webhook is refused", reason=str(refusal))
        raise AuthFailure from None
    async with state.database.system() as session:
        order = await port_orders.of_carrier(session, CARRIER, notice.carrier_order_id)
        if order is None:
            raise NotFound("no order of this carrier has that id yet")
        await port_orders.tell(session, order.org_id, order.id, FactKind.CARRIER_EVENT)
    return {"data": {"accepted": True}, "errors": None}
