"""Asking for a link: only the mailbox's owner gets one, and who asks learns nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from sqlmodel import col

from domain.porting.words import SubStatus
from storage.engine import Database
from storage.ids import new_id
from storage.port_links import PER_ORDER, PER_SOURCE, WINDOW
from storage.tables import PortLinkRequest
from tests.api.signing.letters import Desk
from tests.storage.port_rows import MAILBOX, placed

pytestmark = pytest.mark.postgres


async def test_the_page_of_an_order_names_the_mailbox_by_halves(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    page = await client.get(f"/sign/{waiting.order_id}")

    assert page.status_code == 200
    assert "j***@acme.example" in page.text
    assert f'action="/sign/{waiting.order_id}/link"' in page.text
    for hidden in (MAILBOX, "Acme", "Döe", "+1202555", waiting.token):
        assert hidden not in page.text


@pytest.mark.parametrize(
    ("sub_status", "said"),
    [
        (SubStatus.VALIDATING, "not ready to be signed"),
        (SubStatus.LSR_SENT, "No signature is missing"),
        (SubStatus.CANCELED, "No signature is missing"),
    ],
)
async def test_an_order_that_needs_no_link_offers_none(
    client: httpx.AsyncClient, desk: Desk, sub_status: SubStatus, said: str
) -> None:
    waiting = await desk.order()
    await desk.move(waiting.order_id, sub_status)
    page = await client.get(f"/sign/{waiting.order_id}")

    assert page.status_code == 200
    assert said in page.text
    assert "<form" not in page.text
    await client.post(f"/sign/{waiting.order_id}/link")
    assert await desk.facts(waiting.order_id) == []


async def test_drafts_and_orders_that_do_not_exist_have_no_page(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    draft = await placed(desk.database, desk.org_id, "+12025559999", sub_status=SubStatus.DRAFT)
    for order_id in (draft.id, new_id("port"), "port_1", "x" * 3000):
        assert (await client.get(f"/sign/{order_id}")).status_code == 404


async def test_a_link_is_mailed_and_never_shown(client: httpx.AsyncClient, desk: Desk) -> None:
    waiting = await desk.order()
    answers = [
        await client.post(f"/sign/{order_id}/link")
        for order_id in (waiting.order_id, new_id("port"), "nothing")
    ]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert len({each.text for each in answers}) == 1
    assert "acme.example" not in answers[0].text
    # The workflow mails it; the old link works until the new one is made.
    assert await desk.facts(waiting.order_id) == [
        {"order_id": waiting.order_id, "fact": "link_resent"}
    ]
    assert (await client.get(waiting.page)).status_code == 200


async def test_an_order_is_asked_for_so_often_and_no_more(
    app: FastAPI, desk: Desk, database: Database
) -> None:
    waiting = await desk.order()
    statuses = await asyncio.gather(
        *(asked(app, waiting.order_id, f"192.0.2.{each}") for each in range(PER_ORDER + 4))
    )
    unknown = new_id("port")
    nowhere = [await asked(app, unknown, f"198.51.100.{each}") for each in range(PER_ORDER + 1)]

    assert sorted(statuses) == [200] * PER_ORDER + [429] * 4
    assert nowhere == [200] * PER_ORDER + [429]
    assert len(await desk.facts(waiting.order_id)) == PER_ORDER
    await grow_old(database)
    assert await asked(app, waiting.order_id, "192.0.2.1") == 200
    async with database.system() as session:
        assert await session.scalar(select(func.count()).select_from(PortLinkRequest)) == 1


@pytest.mark.parametrize(
    "sources", [["192.0.2.1"], [f"2001:db8::{each:x}" for each in range(1, 50)]]
)
async def test_a_source_asks_so_often_and_no_more(app: FastAPI, sources: list[str]) -> None:
    statuses = [
        await asked(app, new_id("port"), sources[each % len(sources)])
        for each in range(PER_SOURCE + 1)
    ]

    assert statuses == [200] * PER_SOURCE + [429]
    assert await asked(app, new_id("port"), "203.0.113.9") == 200


async def test_behind_a_trusted_proxy_the_visitor_counts(app: FastAPI, desk: Desk) -> None:
    trusting = app.state.trunkline.settings.model_copy(
        update={"trusted_proxies": (ip_network("192.0.2.0/24"),)}
    )
    app.state.trunkline = replace(app.state.trunkline, settings=trusting)
    waiting = await desk.order()
    transport = httpx.ASGITransport(app=app, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        forwarded = {"X-Forwarded-For": "10.0.0.1, 203.0.113.9, 192.0.2.7"}
        await client.get(waiting.page, headers=forwarded)
        await client.get(waiting.page, headers={"X-Forwarded-For": "nonsense"})

    ips = [each.event.ip for each in await desk.trail(waiting)]
    assert ips == ["203.0.113.9", "203.0.113.9", "192.0.2.1"]


async def asked(app: FastAPI, order_id: str, source: str) -> int:
    transport = httpx.ASGITransport(app=app, client=(source, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        answer = await client.post(f"/sign/{order_id}/link")
    if answer.status_code == 429:
        assert 0 < int(answer.headers["retry-after"]) <= WINDOW.total_seconds()
        assert "asked for too often" in answer.text
    return answer.status_code


async def grow_old(database: Database) -> None:
    async with database.system() as session:
        past = datetime.now(UTC) - WINDOW - timedelta(seconds=1)
        await session.execute(update(PortLinkRequest).values({col(PortLinkRequest.at): past}))
