"""What a winning carrier says of an order, in our words, with its own beside them.

A carrier's notice is a hint; its answer to a question is the truth. So everything that a carrier
tells reaches the order as one picture of the whole order, and what follows is the difference to
the picture before: one that is repeated, or overtaken by a newer one, changes nothing.

``CarrierSnapshot`` is what a carrier's adapter makes; it stays in activities and PostgreSQL, because
a carrier's text may name people. ``Sighting`` is the same without words of others and without phone
numbers: positions, codes and dates, which may enter a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.porting.rejections import RejectionCode
from domain.porting.words import NumberStatus

__all__ = [
    "CarrierRejection",
    "CarrierSnapshot",
    "CarrierStatus",
    "NumberSighting",
    "NumberSnapshot",
    "SeenRejection",
    "Sighting",
    "sighting_of",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CarrierStatus(StrEnum):
    """How far the winning carrier says that an order is."""

    RECEIVED = "received"
    """The winning carrier has it; the losing carrier does not yet."""
    SUBMITTED = "submitted"
    """The losing carrier has the local service request, or its supplement."""
    ACTION_REQUIRED = "action_required"
    """It was rejected, and can be mended; ``rejections`` say why."""
    FOC_CONFIRMED = "foc_confirmed"
    """The losing carrier committed itself to ``foc_at``."""
    ACTIVATING = "activating"
    COMPLETED = "completed"
    """Nothing will follow: each number was ported, rejected for good, or canceled."""
    CANCEL_PENDING = "cancel_pending"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """The carrier closed it because nobody mended it."""
    FAILED = "failed"
    """The carrier closed it for good."""
    UNKNOWN = "unknown"
    """A word that this release does not know; ``raw`` holds it."""


class NumberSnapshot(_Value):
    """One number of an order (E.164 with ``+``).

    ``status`` is one of submitted, accepted, activating, ported, rejected, canceled and failed, or
    ``None`` when the carrier used a word that is not known; ``raw`` is that word, as it came.
    """

    number: str
    status: NumberStatus | None
    raw: str = ""
    rejection: RejectionCode | None = None


class CarrierRejection(_Value):
    """Why something was rejected. Without ``numbers`` it concerns the whole order."""

    code: RejectionCode
    raw_code: str = ""
    text: str = ""
    numbers: tuple[str, ...] = ()


class CarrierSnapshot(_Value):
    """An order as its winning carrier knows it at ``at``, by the carrier's clock.

    ``sequence`` grows with every change that the carrier makes to the order. ``attempt`` is the
    newest submission or supplement that it takes into account, ``None`` when the carrier does not
    say. ``foc_at`` is set from the first firm order commitment on, and may move. ``rejections`` are
    those that stand now. ``raw`` is the carrier's own word for ``status``.
    """

    carrier_order_id: str
    status: CarrierStatus
    numbers: tuple[NumberSnapshot, ...] = ()
    foc_at: AwareDatetime | None = None
    rejections: tuple[CarrierRejection, ...] = ()
    sequence: Annotated[int, Field(ge=0)] = 0
    attempt: int | None = None
    raw: str = ""
    at: AwareDatetime


class NumberSighting(_Value):
    """One number, by its position in the order."""

    position: int
    status: NumberStatus | None
    rejection: RejectionCode | None = None


class SeenRejection(_Value):
    """A rejection without the carrier's words. Without ``positions`` it concerns the whole order."""

    code: RejectionCode
    positions: tuple[int, ...] = ()


class Sighting(_Value):
    """A ``CarrierSnapshot`` that may enter a history. ``strangers`` counts numbers that the carrier
    named and that the order does not have."""

    status: CarrierStatus
    numbers: tuple[NumberSighting, ...] = ()
    foc_at: AwareDatetime | None = None
    rejections: tuple[SeenRejection, ...] = ()
    sequence: int = 0
    attempt: int | None = None
    strangers: int = 0
    at: AwareDatetime


def sighting_of(snapshot: CarrierSnapshot, positions: Mapping[str, int]) -> Sighting:
    """The snapshot by positions; ``positions`` has every number of the order."""
    known = [each for each in snapshot.numbers if each.number in positions]
    named = {number for each in snapshot.rejections for number in each.numbers}
    named.update(each.number for each in snapshot.numbers)
    return Sighting(
        status=snapshot.status,
        numbers=tuple(
            NumberSighting(
                position=positions[each.number], status=each.status, rejection=each.rejection
            )
            for each in known
        ),
        foc_at=snapshot.foc_at,
        rejections=tuple(_seen(each, positions) for each in snapshot.rejections),
        sequence=snapshot.sequence,
        attempt=snapshot.attempt,
        strangers=len(named - positions.keys()),
        at=snapshot.at,
    )


def _seen(rejection: CarrierRejection, positions: Mapping[str, int]) -> SeenRejection:
    at = sorted({positions[number] for number in rejection.numbers if number in positions})
    return SeenRejection(code=rejection.code, positions=tuple(at))
