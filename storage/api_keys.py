"""API keys: made once, found by the hash of what a request carries."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.ids import new_id
from storage.tables import ApiKey, Organization, Role

__all__ = ["MadeKey", "create", "find", "get", "hash_of", "listed", "revoke"]

KEY_PREFIX: Final = "sk_"
"""Lets secret scanners, and people, see what it is."""
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key. ``secret`` is the key itself: shown to the customer now and never again."""

    key: ApiKey
    secret: str = field(repr=False)


def hash_of(secret: str) -> bytes:
    """SHA-256 of a key as a request carries it: what the table stores."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


async def create(
    session: AsyncSession,
    org_id: str,
    *,
    name: str,
    role: Role,
    expires_at: datetime | None = None,
) -> MadeKey:
    """Make a key of 256 random bits. Raises ``IntegrityError`` for an unknown organization."""
    secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    key = ApiKey(
        id=new_id("key"),
        org_id=org_id,
        name=name,
        role=role,
        key_hash=hash_of(secret),
        hint=secret[-4:],
        expires_at=expires_at,
    )
    session.add(key)
    await session.flush()
    return MadeKey(key, secret)


async def find(
    session: AsyncSession, key_hash: bytes, *, now: datetime
) -> tuple[ApiKey, Organization] | None:
    """The valid key with this hash and its organization; ``None`` for an unknown, expired or
    revoked one. Before a request's organization is known this needs ``Database.system()``."""
    row = (
        await session.execute(
            select(ApiKey, Organization)
            .join(Organization, col(Organization.id) == col(ApiKey.org_id))
            .where(
                col(ApiKey.key_hash) == key_hash,
                col(ApiKey.revoked_at).is_(None),
                or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > now),
            )
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def get(session: AsyncSession, key_id: str) -> ApiKey | None:
    """The key, revoked or not."""
    return await session.get(ApiKey, key_id)


async def listed(session: AsyncSession, org_id: str) -> list[ApiKey]:
    """Every key of the organization, revoked ones too, oldest first."""
    found = await session.scalars(
        select(ApiKey)
        .where(col(ApiKey.org_id) == org_id)
        .order_by(col(ApiKey.created_at), col(ApiKey.id))
    )
    return list(found)


async def revoke(session: AsyncSession, key_id: str, *, now: datetime) -> ApiKey | None:
    """End the key's life; a revoked key keeps its first time. ``None`` when there is no such key
    (for this session)."""
    await session.execute(
        update(ApiKey)
        .where(col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    return await session.get(ApiKey, key_id, populate_existing=True)
