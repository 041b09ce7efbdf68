"""Webhook of an outside service for electronic signatures: signed by Standard Webhooks, without an API key.

It exists with ``TRUNKLINE_SIGNATURE_WEBHOOK_SECRET`` only. The signature is over the bytes as they came, so
nothing is parsed before it was checked, and the answer to a wrong one tells nothing of orders.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError

from api.dependencies import StateDep
from api.envelope import EnvelopeJson
from api.errors import AuthFailure, InvalidRequest, NotFound, Unavailable
from api.schemas.port_signature_events import SignatureEvent
from api.services.port_signature_events import tell_signature
from api.signed_bodies import read_signed
from api.validation import refusal_of
from domain.webhook_signatures import InvalidSecret, is_genuine, key_of
from observability.logs import get_logger
from settings import Settings

__all__ = ["MAX_BODY_BYTES", "router"]

MAX_BODY_BYTES = 256 * 1024

_log = get_logger("trunkline.signing")

router = APIRouter(include_in_schema=False, default_response_class=EnvelopeJson)


@router.post("/v1/sip/port/{order_id}/signature-events")
async def post_signature_event(request: Request, state: StateDep, order_id: str) -> dict[str, Any]:
    """Take an event. One that is repeated is answered as it was, and changes nothing."""
    key = _key(state.settings)
    body = await read_signed(request, MAX_BODY_BYTES)
    now = datetime.now(UTC)
    event_id = request.headers.get("webhook-id", "")
    genuine = is_genuine(
        key,
        message_id=event_id,
        timestamp=request.headers.get("webhook-timestamp", ""),
        signatures=request.headers.get("webhook-signature", ""),
        body=body,
        now=now,
    )
    if not genuine:
        raise AuthFailure
    event = _event(body)
    told = await tell_signature(state.database, order_id, event_id, event, now)
    return {
        "data": {"accepted": True, "duplicate": told.duplicate, "letter": told.letter},
        "errors": None,
    }


def _key(settings: Settings) -> bytes:
    secret = settings.signature_webhook_secret
    if secret is None:
        raise NotFound("no such path")
    try:
        return key_of(secret.get_secret_value())
    except InvalidSecret as error:
        _log.error("TRUNKLINE_SIGNATURE_WEBHOOK_SECRET cannot be read", reason=str(error))
        raise Unavailable("the service is not set up; its operator has been told why") from error


def _event(body: bytes) -> SignatureEvent:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the body is not valid JSON") from error
    try:
        return SignatureEvent.model_validate(parsed)
    except ValidationError as error:
        located = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise refusal_of(located, parsed) from error
