"""Routes that count how often they ran, and what the idempotency tests ask of the API."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import APIRouter
from sqlmodel import col, func, select

from api.access import Editor
from api.changes import ChangeDep
from api.envelope import Envelope
from api.routing import new_router
from storage.engine import Database
from storage.tables import Organization
from tests.api.tenants import Tenant

__all__ = ["ORGANIZATIONS", "Calls", "code", "counting_router", "create", "organizations_named"]

ORGANIZATIONS = "/v1/organizations"


class Calls:
    """Counts how often the routes below ran, and lets a test hold or break one."""

    def __init__(self) -> None:
        self.count = 0
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.raises: list[BaseException] = []


def counting_router(calls: Calls) -> APIRouter:
    """Routes that count: one without a transaction of its own, one that changes a row."""
    router = new_router("/v1/test", tag="Test")

    @router.post("/count")
    async def count(_: Editor) -> Envelope[int]:
        calls.count += 1
        mine = calls.count
        calls.entered.set()
        await calls.open.wait()
        if calls.raises:
            raise calls.raises.pop()
        return Envelope(data=mine)

    @router.post("/rename")
    async def rename(principal: Editor, change: ChangeDep) -> Envelope[int]:
        calls.count += 1
        session = await change.of(principal.org_id)
        organization = await session.get(Organization, principal.org_id)
        assert organization is not None
        organization.name = f"renamed {calls.count}"
        await session.flush()
        if calls.raises:
            raise calls.raises.pop()
        return Envelope(data=calls.count)

    return router


def code(answer: httpx.Response) -> str:
    value = answer.json()["errors"][0]["error"]
    assert isinstance(value, str)
    return value


async def create(
    client: httpx.AsyncClient, tenant: Tenant, key: str, name: str = "New"
) -> httpx.Response:
    return await client.post(
        ORGANIZATIONS, json={"name": name}, headers=tenant.operator | {"Idempotency-Key": key}
    )


async def organizations_named(database: Database, name: str) -> int:
    async with database.system() as session:
        query = select(func.count()).where(col(Organization.name) == name)
        return (await session.scalars(query)).one()
