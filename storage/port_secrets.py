"""Account numbers and PINs of port orders: sealed at rest, merged, and erased at the end."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.order import PortSecrets
from domain.porting.words import TERMINAL
from storage.secret_box import SecretBox
from storage.tables import PortOrder

__all__ = ["erase", "merge", "read", "seal"]

PURPOSE: Final = "port_secrets"


def seal(box: SecretBox, org_id: str, secrets: PortSecrets) -> bytes:
    """The secrets as they are stored."""
    return box.seal(secrets.model_dump_json().encode(), purpose=PURPOSE, org_id=org_id)


async def read(session: AsyncSession, box: SecretBox, order_id: str) -> PortSecrets:
    """The secrets of an order; none are there when it has ended or there is no such order.

    Raises ``SecretBoxError``.
    """
    found = await session.execute(
        select(col(PortOrder.org_id), col(PortOrder.secrets_sealed)).where(
            col(PortOrder.id) == order_id
        )
    )
    row = found.one_or_none()
    return PortSecrets() if row is None else _opened(box, row.org_id, row.secrets_sealed)


async def merge(
    session: AsyncSession, box: SecretBox, order_id: str, newer: PortSecrets
) -> PortSecrets | None:
    """Add secrets to those of an order, newer values in the place of older ones; what there is now.

    ``None`` when the order has ended, and with it its need for secrets, or there is no such order.
    Raises ``SecretBoxError``.
    """
    found = await session.execute(
        select(col(PortOrder.org_id), col(PortOrder.secrets_sealed))
        .where(col(PortOrder.id) == order_id, col(PortOrder.sub_status).not_in(TERMINAL))
        .with_for_update(key_share=True)
    )
    row = found.one_or_none()
    if row is None:
        return None
    merged = _opened(box, row.org_id, row.secrets_sealed).merged(newer)
    await _write(session, order_id, seal(box, row.org_id, merged))
    return merged


async def erase(session: AsyncSession, order_id: str) -> None:
    """Forget the secrets of an order."""
    await _write(session, order_id, None)


async def _write(session: AsyncSession, order_id: str, sealed: bytes | None) -> None:
    await session.execute(
        update(PortOrder)
        .where(col(PortOrder.id) == order_id)
        .values(secrets_sealed=sealed)
        .execution_options(synchronize_session=False)
    )


def _opened(box: SecretBox, org_id: str, sealed: bytes | None) -> PortSecrets:
    if sealed is None:
        return PortSecrets()
    return PortSecrets.model_validate_json(box.open(sealed, purpose=PURPOSE, org_id=org_id))
