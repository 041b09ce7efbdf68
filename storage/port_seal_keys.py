"""Keys of the installation that seal signed letters; the newest seals, older ones stay to be verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.secret_box import SecretBox
from storage.tables import PortSealKey
from storage.trunk_vault import NOBODY

__all__ = ["SealKey", "add", "certificates", "keep_first", "newest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """A key and its certificate (chain), both PEM."""

    id: str
    key_pem: bytes = field(repr=False)
    certificate_pem: str
    created_at: datetime


async def newest(session: AsyncSession, box: SecretBox) -> SealKey | None:
    """The key that seals, if there is one. Raises ``SecretBoxError``."""
    row = await session.scalar(
        select(PortSealKey)
        .order_by(col(PortSealKey.created_at).desc(), col(PortSealKey.id).desc())
        .limit(1)
    )
    if row is None:
        return None
    key_pem = box.open(row.key_sealed, purpose=_purpose(row.id), org_id=NOBODY)
    return SealKey(
        id=row.id,
        key_pem=key_pem,
        certificate_pem=row.certificate_pem,
        created_at=row.created_at,
    )


async def keep_first(session: AsyncSession, box: SecretBox, key: SealKey) -> SealKey:
    """The key that seals: this one when there was none. Raises ``SecretBoxError``.

    Of several processes that make one at once, all get the same.
    """
    await session.execute(_LOCK)
    present = await newest(session, box)
    if present is not None:
        return present
    await add(session, box, key)
    return key


async def add(session: AsyncSession, box: SecretBox, key: SealKey) -> None:
    """Add a key; it seals from now on when it is the newest."""
    session.add(
        PortSealKey(
            id=key.id,
            key_sealed=box.seal(key.key_pem, purpose=_purpose(key.id), org_id=NOBODY),
            certificate_pem=key.certificate_pem,
            created_at=key.created_at,
        )
    )
    await session.flush()


async def certificates(session: AsyncSession) -> list[str]:
    """The certificates of all keys that ever sealed, the newest first, in PEM."""
    found = await session.scalars(
        select(col(PortSealKey.certificate_pem)).order_by(
            col(PortSealKey.created_at).desc(), col(PortSealKey.id).desc()
        )
    )
    return list(found)


def _purpose(key_id: str) -> str:
    return f"port_seal_key:{key_id}"


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('keys that seal letters', 0))")
