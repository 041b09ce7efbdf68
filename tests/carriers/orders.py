"""Orders at the simulated carrier, without a database: told, and looked at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from carriers.base import Attachment, CarrierRefused, PortSubmission, attempt_of
from carriers.simulator_rules import flaws_of, refusal_of, refusals_of
from carriers.simulator_script import course, snapshot
from carriers.simulator_state import Heard, Scenario, SimulatedOrder
from domain.porting.order import Address, PortDetails, PortSecrets
from domain.porting.snapshot import CarrierSnapshot, CarrierStatus
from domain.porting.state import CommandKind
from domain.porting.words import CustomerType, PortKind

__all__ = [
    "DAY",
    "MONDAY",
    "MONTH",
    "NUMBERS",
    "a_submission",
    "an_order",
    "letter",
    "looked_at",
    "numbers_of",
    "requested",
    "statuses",
    "told",
]

MONDAY = datetime(2026, 11, 30, 15, tzinfo=UTC)
"""10:00 in New York, in a week without holidays."""

DAY = timedelta(days=1)
MONTH = 30 * DAY
NUMBERS = tuple(f"+12025550{number}" for number in range(130, 140))

_DETAILS = PortDetails(
    customer_type=CustomerType.BUSINESS,
    customer_name="Acme, Inc.",
    authorized_representative_email="jane@acme.example",
    service_address=Address(street="1 Main St", city="Denver", state="CO", zip="80202"),
)


def letter(text: str = "one") -> Attachment:
    """A signed letter, told apart by its text."""
    content = text.encode()
    return Attachment(
        name="loa.pdf", media_type="application/pdf", sha256=content.hex(), content=content
    )


def a_submission(
    *numbers: str, attempt: int = 1, requested_date: date | None = None, **fields: Any
) -> PortSubmission:
    return PortSubmission(
        **{
            "order_id": "port_1",
            "attempt": attempt,
            "kind": PortKind.LOCAL,
            "numbers": numbers or NUMBERS,
            "details": _DETAILS.model_copy(update={"requested_date": requested_date}),
            "secrets": PortSecrets(),
            "letter": letter(),
            **fields,
        }
    )


def an_order(scenario: Scenario | None = None, **fields: Any) -> SimulatedOrder:
    """An order that the carrier was not told yet."""
    return SimulatedOrder(
        **{"carrier_order_id": "sim_1", "order_id": "port_1", "scenario": scenario, **fields}
    )


def requested(
    order: SimulatedOrder,
    at: datetime,
    submission: PortSubmission,
    kind: CommandKind = CommandKind.SUBMIT,
) -> SimulatedOrder:
    """The order once it was placed or supplemented. Raises ``CarrierRefused``."""
    refusals = refusals_of(submission)
    if refusals:
        raise CarrierRefused(*refusals)
    heard = Heard(
        key=submission.key,
        kind=kind,
        at=order.moment(at),
        attempt=submission.attempt,
        numbers=tuple(submission.numbers),
        requested_date=submission.details.requested_date,
        letter=submission.letter.sha256 if submission.letter else "",
        flaws=flaws_of(submission),
    )
    return _heard(order, heard)


def told(
    order: SimulatedOrder, kind: CommandKind, at: datetime, *, wanted: date | None = None
) -> SimulatedOrder:
    """The order once it was told something else. Raises ``CarrierRefused``."""
    key = f"port_1:{len(order.heard) + 100}"
    heard = Heard(
        key=key, kind=kind, at=order.moment(at), attempt=attempt_of(key), requested_date=wanted
    )
    return _heard(order, heard)


def _heard(order: SimulatedOrder, heard: Heard) -> SimulatedOrder:
    refusal = refusal_of(order, heard)
    if refusal is not None:
        raise CarrierRefused(refusal)
    return order.hearing(heard)


def looked_at(order: SimulatedOrder, at: datetime) -> CarrierSnapshot:
    """How the order stands."""
    found = snapshot(order, at)
    assert found is not None
    return found


def statuses(order: SimulatedOrder) -> list[CarrierStatus]:
    """Every status of the order from its first on."""
    return [each.status for each in course(order)]


def numbers_of(picture: CarrierSnapshot) -> dict[str, str | None]:
    """The status of each number."""
    return {each.number: each.status for each in picture.numbers}
