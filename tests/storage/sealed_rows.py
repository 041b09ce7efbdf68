"""Rows with sealed values, for tests of the keys that seal them."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta

from sqlalchemy import insert, select
from sqlmodel import col

from storage.engine import Database
from storage.secret_box import SecretBox, generate_key, key_id_of
from storage.tables import IdempotencyKey, IdempotencyState
from tests.storage.factories import NOON

__all__ = [
    "AFTER",
    "ANSWER",
    "BEFORE",
    "DURING",
    "NEW",
    "OLD",
    "add_answers",
    "answer_of",
    "answers",
    "key_ids",
    "until_resealed",
]

OLD = generate_key("2025")
NEW = generate_key("2026")
BEFORE = SecretBox.from_key_ring(OLD)
DURING = SecretBox.from_key_ring(f"{NEW},{OLD}")
AFTER = SecretBox.from_key_ring(NEW)
"""What a process seals and opens with before the rotation, while it runs, and after it."""

ANSWER = "idempotent_answer"
"""What kept answers are sealed for."""


def answer_of(key: str) -> bytes:
    """The answer that ``add_answers`` keeps under a key."""
    return f"the answer to {key}".encode()


async def add_answers(
    database: Database, org_id: str, box: SecretBox, count: int, *, prefix: str = "request"
) -> list[str]:
    """Keep this many answers, sealed by the box; their keys in order."""
    keys = [f"{prefix}-{number:06}" for number in range(count)]
    rows = [
        {
            "org_id": org_id,
            "key": key,
            "method": "POST",
            "path": "/v1/test",
            "request_hash": os.urandom(32),
            "state": IdempotencyState.DONE,
            "status": 200,
            "headers": {},
            "response_sealed": box.seal(answer_of(key), purpose=ANSWER, org_id=org_id),
            "created_at": NOON,
            "expires_at": NOON + timedelta(days=1),
        }
        for key in keys
    ]
    async with database.tenant(org_id) as session:
        await session.execute(insert(IdempotencyKey), rows)
    return keys


async def answers(database: Database, org_id: str) -> dict[str, bytes]:
    """What is kept, sealed, by key."""
    async with database.tenant(org_id) as session:
        found = await session.execute(
            select(col(IdempotencyKey.key), col(IdempotencyKey.response_sealed))
        )
        return {key: sealed for key, sealed in found if sealed is not None}


async def key_ids(database: Database, org_id: str) -> list[str]:
    """The key that sealed each answer, in the order of the primary key."""
    kept = await answers(database, org_id)
    return [key_id_of(kept[key]) for key in sorted(kept)]


async def until_resealed(
    database: Database, org_id: str, count: int, *, seconds: float = 30.0
) -> None:
    """Return once the new key seals so many answers. Raises ``TimeoutError``."""
    give_up = time.monotonic() + seconds
    while (found := (await key_ids(database, org_id)).count("2026")) < count:
        if time.monotonic() > give_up:
            raise TimeoutError(f"{found} of {count}")
        await asyncio.sleep(0.01)
