"""Examples of the porting routes' answers, for OpenAPI."""

from __future__ import annotations

from typing import Any, Final

from api.schemas.port_checks import EXAMPLE_GROUP
from domain.porting.words import SubStatus, next_step, public_text

__all__ = [
    "EXAMPLE_DOCUMENT",
    "EXAMPLE_INITIATED",
    "EXAMPLE_PORT",
    "EXAMPLE_PORTS",
    "EXAMPLE_TIMELINE",
    "EXAMPLE_WHOLE_PORT",
    "ORDER_ID",
]

ORDER_ID: Final = "port_4fJq0ZxYbT1mN8cRw2LkPa"

EXAMPLE_INITIATED: Final[dict[str, Any]] = {
    "port_request_id": ORDER_ID,
    "status": "waiting_for_signature",
    "signature_url": f"https://sip.example.com/sign/{ORDER_ID}",
    "phone_numbers": ["+14150000000"],
    "sub_status": "validating",
    "children": [],
    "excluded": [],
    "groups": [EXAMPLE_GROUP],
    "findings": [
        {
            "severity": "warning",
            "code": "port_type_missing",
            "field": "port_type",
            "what": "It is not said whether numbers of the account stay with the carrier.",
            "to_change": "Choose full if all numbers of the account move, else partial.",
            "submitted": None,
            "phone_number": None,
        }
    ],
}
EXAMPLE_PORT: Final[dict[str, Any]] = {
    "id": ORDER_ID,
    "status": "in_progress",
    "phone_numbers": [{"number": "+14150000000", "status": "in_progress"}],
    "authorized_rep_email": "jane@acme.com",
    "notification_emails": ["it@acme.com"],
    "created_at": "2026-03-09T12:00:00Z",
    "updated_at": "2026-03-12T08:00:00Z",
    "sub_status": "foc_confirmed",
    "status_text": public_text(SubStatus.FOC_CONFIRMED),
    "next_step": next_step(SubStatus.FOC_CONFIRMED),
    "kind": "local",
    "port_type": "full",
    "requested_port_date": "2026-03-23",
    "foc_date": "2026-03-23T15:30:00Z",
    "completed_at": None,
    "cancelable": True,
    "cancel_reason": "The carriers have to confirm the cancellation, which takes up to a business day.",
    "cancel_cutoff_at": "2026-03-19T15:30:00Z",
    "cancel_requested_at": None,
    "action_required": [],
    "warnings": [],
    "losing_carrier": "Example Telephone",
    "carrier": "simulator",
    "carrier_order_id": "sim_4fJq0ZxYbT1mN8cRw2LkPa",
    "customer_reference": "PO 7",
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "signature_url": None,
    "estimated_completion": {
        "earliest": "2026-03-23",
        "latest": "2026-03-25",
        "reason": "The losing carrier confirmed the date.",
    },
    "parent_id": None,
    "children": [],
}
EXAMPLE_PORTS: Final[dict[str, Any]] = {"port_requests": [EXAMPLE_PORT], "next_cursor": None}
EXAMPLE_WHOLE_PORT: Final[dict[str, Any]] = {
    **EXAMPLE_PORT,
    "numbers": [
        {
            "number": "+14150000000",
            "status": "in_progress",
            "number_status": "accepted",
            "number_type": "landline",
            "carrier_status_raw": "foc",
            "rejection": None,
            "order_id": ORDER_ID,
            "ported_at": None,
            "attached_at": None,
            "first_inbound_at": None,
            "verified_at": None,
        }
    ],
    "losing_carrier_information": {
        "customer_type": "business",
        "customer_name": "Acme, Inc.",
        "account_number": "******88",
        "authorized_representative": "Jane Doe",
    },
    "documents": ["doc_4fJq0ZxYbT1mN8cRw2LkPa"],
    "document_date": "2026-03-01",
    "pin_given": True,
    "letters": [
        {
            "revision": 1,
            "sha256": "0" * 64,
            "created_at": "2026-03-09T12:00:05Z",
            "signed_at": "2026-03-09T13:00:00Z",
            "declined_at": None,
            "superseded_at": None,
        }
    ],
    "findings": [],
    "resubmits": 0,
    "date_changes_left": 3,
    "on_demand": False,
    "revision": 1,
}
EXAMPLE_DOCUMENT: Final[dict[str, Any]] = {
    "document_sid": "doc_4fJq0ZxYbT1mN8cRw2LkPa",
    "kind": "bill",
    "name": "bill.pdf",
    "media_type": "application/pdf",
    "size": 81244,
    "pages": 2,
    "sha256": "0" * 64,
    "document_date": "2026-03-01",
    "created_at": "2026-03-09T12:00:00Z",
}
EXAMPLE_TIMELINE: Final[dict[str, Any]] = {
    "entries": [
        {
            "id": 4711,
            "at": "2026-03-12T08:00:00Z",
            "kind": "status",
            "actor": "losing_carrier",
            "text": "Your present carrier agreed and confirmed a date.",
            "raw": None,
            "from_sub_status": "lsr_sent",
            "to_sub_status": "foc_confirmed",
            "data": {},
            "public": True,
        }
    ],
    "next_cursor": None,
}
