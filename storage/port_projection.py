"""What a port order's workflow knows of it, written into rows: once for each generation.

A workflow may write the same generation again, and a worker that was believed dead an older one: the
order's row decides, and what comes too late changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Integer, Text, bindparam, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.rejections import RejectionCode
from domain.porting.words import (
    NUMBER_TERMINAL,
    TERMINAL,
    NumberStatus,
    SubStatus,
    public_status,
)
from storage import port_notices, port_timeline
from storage.columns import Moment
from storage.notify import notify
from storage.port_notices import NewNotice
from storage.port_timeline import NewEntry
from storage.tables import PortOrder

__all__ = ["ProjectedNumber", "Projection", "project"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedNumber:
    """A number by its position in the order."""

    position: int
    status: NumberStatus
    rejection: RejectionCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """An order as its workflow knows it at ``at``, and what is told of the way there.

    Every column is written, ``None`` too, but ``carrier_order_id`` and ``state``, which then stay. When
    ``sub_status`` ends the order, its secrets are erased and its numbers are free for another one.
    """

    generation: int
    at: datetime
    sub_status: SubStatus
    numbers: Sequence[ProjectedNumber]
    standing: Mapping[str, Any]
    state: Mapping[str, Any] | None = None
    carrier_order_id: str | None = None
    foc_at: datetime | None = None
    completed_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_cutoff_at: datetime | None = None
    timeline: Sequence[NewEntry] = field(default=())
    notices: Sequence[NewNotice] = field(default=())


async def project(session: AsyncSession, order_id: str, projection: Projection) -> bool:
    """Write the projection; false when the order has this generation or a newer one, or is gone.

    Then nothing is written, the timeline and the notices neither: they came with that generation.
    """
    values: dict[str, Any] = {
        "generation": projection.generation,
        "sub_status": projection.sub_status,
        "status": public_status(projection.sub_status),
        "standing": dict(projection.standing),
        "foc_at": projection.foc_at,
        "completed_at": projection.completed_at,
        "cancel_requested_at": projection.cancel_requested_at,
        "cancel_cutoff_at": projection.cancel_cutoff_at,
        "updated_at": projection.at,
    }
    is_over = projection.sub_status in TERMINAL
    if projection.carrier_order_id is not None:
        values["carrier_order_id"] = projection.carrier_order_id
    if projection.state is not None:
        values["state"] = dict(projection.state)
    if is_over:
        values["secrets_sealed"] = None
    org_id: str | None = await session.scalar(
        update(PortOrder)
        .where(col(PortOrder.id) == order_id, col(PortOrder.generation) < projection.generation)
        .values(values)
        .returning(col(PortOrder.org_id))
        .execution_options(synchronize_session=False)
    )
    if org_id is None:
        return False
    await _write_numbers(session, order_id, projection, is_over=is_over)
    await port_timeline.add(session, order_id, projection.timeline)
    await notify(session, port_timeline.CHANNEL, order_id)
    await port_notices.add(session, order_id, org_id, projection.notices, at=projection.at)
    return True


async def _write_numbers(
    session: AsyncSession, order_id: str, projection: Projection, *, is_over: bool
) -> None:
    numbers = projection.numbers
    await session.execute(
        _NUMBERS,
        {
            "order_id": order_id,
            "at": projection.at,
            "is_over": is_over,
            "positions": [each.position for each in numbers],
            "statuses": [each.status.value for each in numbers],
            "rejections": [each.rejection and each.rejection.value for each in numbers],
            "ended": [each.status in NUMBER_TERMINAL for each in numbers],
        },
    )


# A number that has left an order is never taken back by it: another one may have it by now.
_NUMBERS = text(
    """
    UPDATE port_numbers AS n
       SET status = p.status,
           rejection = p.rejection,
           ported_at = CASE WHEN p.status IN ('ported', 'verified')
                            THEN coalesce(n.ported_at, :at) END,
           verified_at = CASE WHEN p.status = 'verified' THEN coalesce(n.verified_at, :at) END,
           held = n.held AND NOT p.ended AND NOT :is_over
      FROM unnest(:positions, :statuses, :rejections, :ended)
           AS p (position, status, rejection, ended)
     WHERE n.order_id = :order_id AND n.position = p.position
    """
).bindparams(
    bindparam("at", type_=Moment()),
    bindparam("is_over", type_=Boolean()),
    bindparam("positions", type_=ARRAY(Integer)),
    bindparam("statuses", type_=ARRAY(Text)),
    bindparam("rejections", type_=ARRAY(Text)),
    bindparam("ended", type_=ARRAY(Boolean)),
)
