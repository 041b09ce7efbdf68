"""What the API is measured against: FastAPI and psycopg, and nothing that an API needs beside them.

The same look-up of the key (kept for as long as ours), the same rows by the same indexes, and the
same answers: ``benchmarks.configuration``, which runs it over ``BARE_DATABASE_URL``, compares them.
It has no tenancy (its role is not under row-level security), no roles, no validation of what it
answers, no request ids, logs, metrics or limits.
"""

from __future__ import annotations

import hashlib
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

__all__ = ["app"]

KEY_LIFETIME = 5.0
"""Seconds that a key's organization is known without asking again."""

POOL = AsyncConnectionPool(
    os.environ.get("BARE_DATABASE_URL", ""),
    min_size=4,
    max_size=10,
    open=False,
    kwargs={"autocommit": True, "options": "-c timezone=UTC"},
)
_known: dict[bytes, tuple[float, str]] = {}

KEY = """
    SELECT k.org_id, k.role, o.entitlements FROM api_keys k JOIN organizations o ON o.id = k.org_id
     WHERE k.key_hash = %s AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
"""
CONFIGURATION = """
    SELECT b.phone_number AS number, b.id, b.org_id, b.direction, t.sip_endpoint, b.created_at,
           greatest(b.updated_at, t.updated_at) AS updated_at, t.headers,
           CASE b.direction WHEN 'inbound' THEN jsonb_build_object('auth_mode', t.auth_mode)
                            ELSE '{}' END || t.options AS options,
           t.id AS trunk_id, t.failover AS failover_config, NULL AS codec_config,
           t.alerts AS alert_config
      FROM number_bindings b JOIN trunks t ON t.id = b.trunk_id
     WHERE b.org_id = %s AND b.phone_number = %s ORDER BY b.direction, b.priority
"""
PAGE = """
    SELECT b.phone_number, array_agg(b.direction) AS directions,
           min(t.sip_endpoint) AS sip_endpoint, 'unchecked' AS health_status
      FROM number_bindings b JOIN trunks t ON t.id = b.trunk_id
     WHERE b.org_id = %s AND b.phone_number > %s
     GROUP BY b.phone_number ORDER BY b.phone_number LIMIT %s
"""


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with POOL:
        yield


app = FastAPI(lifespan=_lifespan, openapi_url=None)

Key = Annotated[str, Header(alias="authorization")]


async def _rows(query: str, *values: Any) -> list[dict[str, Any]]:
    async with POOL.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        return await (await cursor.execute(query, values)).fetchall()


async def _organization(key: str) -> str:
    digest = hashlib.sha256(key.removeprefix("Bearer ").encode()).digest()
    since, org_id = _known.get(digest, (0.0, ""))
    if time.monotonic() - since > KEY_LIFETIME:
        found = await _rows(KEY, digest)
        if not found:
            raise HTTPException(401)
        org_id = found[0]["org_id"]
        _known[digest] = (time.monotonic(), org_id)
    return org_id


@app.get("/v1/sip")
async def configuration(phone_number: str, key: Key) -> dict[str, Any]:
    """One number's configurations."""
    rows = await _rows(CONFIGURATION, await _organization(key), phone_number)
    if not rows:
        raise HTTPException(404)
    data: dict[str, Any] = {
        direction: next((row for row in rows if row["direction"] == direction), None)
        for direction in ("inbound", "outbound")
    }
    for direction in ("inbound", "outbound"):
        data[f"{direction}_configs"] = [row for row in rows if row["direction"] == direction]
    return {"data": data, "errors": None}


@app.get("/v1/sip/numbers")
async def numbers(key: Key, limit: int, cursor: str) -> dict[str, Any]:
    """A page of numbers, which is not the last one."""
    after = urlsafe_b64decode(cursor).decode()
    rows = await _rows(PAGE, await _organization(key), after, limit)
    behind = urlsafe_b64encode(rows[-1]["phone_number"].encode()).decode()
    return {"data": {"numbers": rows, "next_cursor": behind}, "errors": None}
