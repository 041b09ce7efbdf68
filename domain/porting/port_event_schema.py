"""The JSON Schema of what webhooks receive about port orders, with an example of each type."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from domain.porting.effects import Audience, EntryKind, Notice, NoticeKind
from domain.porting.notice_facts import NoticeFacts, NumberFacts, RejectionFacts
from domain.porting.port_event import PortEventBody, event_body
from domain.porting.rejections import RejectionCode
from domain.porting.words import NumberStatus, SubStatus

__all__ = ["example_facts", "examples", "schema_document"]

_AT: Final = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
_FOC: Final = datetime(2026, 12, 8, 16, 30, tzinfo=UTC)

_NUMBER: Final = {
    SubStatus.ACTION_REQUIRED: NumberStatus.REJECTED,
    SubStatus.FOC_CONFIRMED: NumberStatus.ACCEPTED,
    SubStatus.ACTIVATING: NumberStatus.ACTIVATING,
    SubStatus.VERIFYING: NumberStatus.PORTED,
    SubStatus.COMPLETED: NumberStatus.VERIFIED,
    SubStatus.PARTIALLY_COMPLETED: NumberStatus.VERIFIED,
    SubStatus.CANCELED: NumberStatus.CANCELED,
    SubStatus.EXPIRED: NumberStatus.CANCELED,
    SubStatus.FAILED: NumberStatus.FAILED,
}
_WITH_FOC: Final = frozenset(
    {
        SubStatus.FOC_CONFIRMED,
        SubStatus.ACTIVATING,
        SubStatus.VERIFYING,
        SubStatus.COMPLETED,
        SubStatus.PARTIALLY_COMPLETED,
    }
)
_ENDED: Final = frozenset({SubStatus.COMPLETED, SubStatus.PARTIALLY_COMPLETED, SubStatus.CANCELED})


def example_facts(status: SubStatus) -> NoticeFacts:
    """An order of two numbers that has come to this status."""
    number = _NUMBER.get(status, NumberStatus.SUBMITTED)
    second = NumberStatus.FAILED if status is SubStatus.PARTIALLY_COMPLETED else number
    rejected = status is SubStatus.ACTION_REQUIRED
    code = RejectionCode.NAME_MISMATCH
    return NoticeFacts(
        order_id="port_8dTq0ZxYbT1mN8cRw2LkPa",
        org_id="org_4fJq0ZxYbT1mN8cRw2LkPa",
        at=_AT,
        sub_status=status,
        signer="Jane Roe",
        mailbox="jane@acme.example",
        account_name="Acme, Inc.",
        reference="PO 7",
        losing_carrier="Old Carrier",
        requested_date=date(2026, 12, 7),
        numbers=(
            NumberFacts("+14155550100", number, code if rejected else None),
            NumberFacts(
                "+14155550101",
                second,
                RejectionCode.NUMBER_INACTIVE if second is NumberStatus.FAILED else None,
            ),
        ),
        rejections=(
            (RejectionFacts(code, (), "NAME DOES NOT MATCH", (("Name on the account", "Acme"),)),)
            if rejected
            else ()
        ),
        foc_at=_FOC if status in _WITH_FOC else None,
        expires_at=_AT + timedelta(days=14) if rejected else None,
        completed_at=_AT if status in _ENDED else None,
        zone="America/Denver",
    )


def examples() -> tuple[PortEventBody, ...]:
    """One event of each type."""
    return tuple(
        event_body(each, example_facts(each.status), event_id=f"ntc_{index:022}", at=_AT)
        for index, each in enumerate(_notices())
    )


def _notices() -> list[Notice]:
    """A notice for each type of event."""
    of_statuses = [
        _notice(NoticeKind.STATUS, each) for each in SubStatus if each is not SubStatus.DRAFT
    ]
    others = [
        _notice(NoticeKind.ACTION_REMINDER, SubStatus.ACTION_REQUIRED, EntryKind.REMINDED),
        *(
            _notice(kind, SubStatus.FOC_CONFIRMED)
            for kind in (
                NoticeKind.FOC_CHANGED,
                NoticeKind.FOC_NEAR,
                NoticeKind.ACTIVATION_DUE,
                NoticeKind.CANCEL_ASKED,
                NoticeKind.CANCEL_REFUSED,
                NoticeKind.RESCHEDULE_REFUSED,
            )
        ),
    ]
    return [*of_statuses, *others]


def _notice(kind: NoticeKind, status: SubStatus, entry: EntryKind = EntryKind.STATUS) -> Notice:
    return Notice(
        key="1.0", kind=kind, audience=Audience.CUSTOMER, status=status, entry=entry, count=1
    )


def schema_document() -> str:
    """``docs/porting/port-event.schema.json``, JSON Schema 2020-12, with a newline at its end."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PortEventBody.model_json_schema(mode="serialization"),
        "title": "Port event",
        "description": "The body of a webhook about a port order. Fields and types may be added: "
        "ignore unknown ones.",
        "examples": [each.model_dump(mode="json") for each in examples()],
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
