"""A carrier's webhook: believed when it is signed, told to the order, and never to anybody else."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text, update
from sqlmodel import col

from channels.webhook import signed_headers
from settings import Settings
from storage.engine import Database
from storage.tables import PortOrder
from tests.api.tenants import Tenant
from tests.storage.port_rows import placed

pytestmark = pytest.mark.postgres

PATH = "/v1/carriers/simulator/porting-webhook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
NOTICE = b'{"carrier_order_id":"sim_1","sequence":2,"event":"foc"}'


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"porting_webhook_secret": SecretStr(SECRET)})


async def posted(
    client: httpx.AsyncClient, body: bytes = NOTICE, *, secret: str = SECRET, age: int = 0
) -> httpx.Response:
    at = int(datetime.now(UTC).timestamp()) - age
    return await client.post(
        PATH, content=body, headers=signed_headers("msg_1", body, (secret,), at)
    )


async def told(database: Database) -> list[str]:
    async with database.system() as session:
        found = await session.scalars(
            text("SELECT payload ->> 'fact' FROM outbox WHERE kind = 'port_changed' ORDER BY id")
        )
        return list(found)


async def test_news_of_an_order_are_told_to_it(
    client: httpx.AsyncClient, database: Database, tenant: Tenant
) -> None:
    order = await placed(database, tenant.org_id, "+12025550101")
    early = await posted(client)
    assert (early.status_code, early.json()["errors"][0]["error"]) == (404, "NOT_FOUND")
    async with database.system() as session:
        known = update(PortOrder).where(col(PortOrder.id) == order.id)
        await session.execute(known.values(carrier_order_id="sim_1"))

    answer = await posted(client)

    assert (answer.status_code, answer.json()["data"]) == (200, {"accepted": True})
    assert await told(database) == ["submitted", "carrier_event"]


async def test_what_the_carrier_did_not_sign_now_is_refused_alike(
    client: httpx.AsyncClient, database: Database, tenant: Tenant
) -> None:
    await placed(database, tenant.org_id, "+12025550101")
    answers = [
        await posted(client, secret=OTHER),
        await posted(client, age=3600),
        await posted(client, b"{}"),
        await client.post(PATH, content=NOTICE),
        await client.post(PATH, content=NOTICE, headers={"webhook-id": "msg_1"}),
    ]
    assert {each.status_code for each in answers} == {401}
    assert (await posted(client, b"x" * 10_000)).status_code == 413
    assert await told(database) == ["submitted"]


async def test_without_a_secret_there_is_no_such_path(
    client: httpx.AsyncClient, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    del app
    from api.routes import carrier_webhooks

    monkeypatch.setattr(carrier_webhooks, "CARRIER", "another")
    assert (await posted(client)).status_code == 404
