"""Test alerts: who gets one, who cannot, and how it fared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.alert_messages import ALERT_MESSAGE, AlertEventType
from storage import alert_deliveries, alerts, audit, organizations
from storage.alert_deliveries import Attempt
from storage.engine import Database
from storage.ids import new_id
from storage.tables import AlertDelivery, OutboxEntry
from tests.api.alerted import add_trial, attempted
from tests.api.tenants import Tenant
from workflows.names import alert_workflow_id

pytestmark = pytest.mark.postgres

URL = "/v1/sip/alerts/test"
STANDARD = {"id": new_id("whk"), "url": "https://hooks.example.com/", "description": ""}
SLACK = {**STANDARD, "id": new_id("whk"), "format": "slack"}


async def name_recipients(database: Database, tenant: Tenant, **fields: Any) -> None:
    async with database.system() as session:
        await organizations.change(session, tenant.org_id, **fields)


async def give_secret(client: httpx.AsyncClient, tenant: Tenant) -> None:
    url = f"/v1/organizations/{tenant.org_id}/signing-secret"
    assert (await client.post(url, headers=tenant.editor)).status_code == 201


async def ask(
    client: httpx.AsyncClient, tenant: Tenant, channel: str | None = None, **headers: str
) -> httpx.Response:
    body = {} if channel is None else {"channel": channel}
    return await client.post(URL, json=body, headers=tenant.editor | headers)


async def outbox_of(database: Database, tenant: Tenant) -> list[OutboxEntry]:
    async with database.system() as session:
        mine = col(OutboxEntry.org_id) == tenant.org_id
        return list(await session.scalars(select(OutboxEntry).where(mine)))


async def messages_of(database: Database, tenant: Tenant) -> list[AlertDelivery]:
    async with database.tenant(tenant.org_id) as session:
        return await alert_deliveries.page(session, limit=200)


async def test_every_recipient_gets_one_and_a_workflow_sends_them(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await name_recipients(
        database,
        tenant,
        alert_emails=["alice@example.com", "bob@example.com"],
        alert_phones=["+14155550100"],
        webhook_endpoints=[STANDARD, SLACK],
    )
    await give_secret(client, tenant)
    answer = await ask(client, tenant)

    assert answer.status_code == 200
    trial = answer.json()["data"]
    assert trial["trial_id"].startswith("atr_")
    shown = {(each["channel"], each["recipient"]) for each in trial["messages"]}
    assert shown == {
        ("email", "a***@example.com"),
        ("email", "b***@example.com"),
        ("sms", "+1415***0100"),
        ("webhook", STANDARD["id"]),
        ("webhook", SLACK["id"]),
    }
    assert {each["state"] for each in trial["messages"]} == {"pending"}
    rows = await messages_of(database, tenant)
    workflow_id = alert_workflow_id(trial["trial_id"])
    assert {(each.workflow_id, each.alert_id, each.notice) for each in rows} == {
        (workflow_id, None, "test")
    }
    (event,) = {ALERT_MESSAGE.validate_python(each.event).model_dump_json() for each in rows}
    assert ALERT_MESSAGE.validate_json(event).type == AlertEventType.TEST
    (entry,) = await outbox_of(database, tenant)
    assert (entry.stream, entry.kind) == (workflow_id, alerts.ALERT_CHANGED)
    assert entry.payload == {"alert_id": trial["trial_id"], "trial": True}
    async with database.tenant(tenant.org_id) as session:
        noted, _ = await audit.entries(session, tenant.org_id, limit=50)
    assert (noted.action, noted.subject_id) == ("alert.test", trial["trial_id"])
    assert noted.after == {"channels": {"email": 2, "sms": 1, "webhook": 2}}


@pytest.mark.parametrize(
    ("channel", "channels"), [("email", {"email"}), ("sms", {"sms"}), (None, {"email", "sms"})]
)
async def test_it_goes_to_one_channel_or_to_all_that_lead_to_anybody(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    channel: str | None,
    channels: set[str],
) -> None:
    await name_recipients(
        database, tenant, alert_emails=["a@example.com"], alert_phones=["+14155550100"]
    )
    answer = await ask(client, tenant, channel)

    assert {each["channel"] for each in answer.json()["data"]["messages"]} == channels


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ("email", "give the organization alert_emails first"),
        ("sms", "give the organization alert_phones first"),
        ("webhook", "give the organization webhook_endpoints first"),
        (None, "alert_emails or alert_phones or webhook_endpoints first"),
    ],
)
async def test_a_channel_without_anybody_is_refused(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    channel: str | None,
    words: str,
) -> None:
    answer = await ask(client, tenant, channel)

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["error"], error["field"]) == ("INVALID_REQUEST", "channel")
    assert words in error["message"]
    assert await messages_of(database, tenant) == []
    assert await outbox_of(database, tenant) == []


@pytest.mark.parametrize("channel", ["webhook", None])
async def test_a_webhook_that_could_not_be_signed_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, channel: str | None
) -> None:
    await name_recipients(
        database, tenant, alert_emails=["a@example.com"], webhook_endpoints=[SLACK, STANDARD]
    )
    refused = await ask(client, tenant, channel)
    await give_secret(client, tenant)
    done = await ask(client, tenant, channel)

    assert refused.status_code == 400
    assert "there is no signing secret" in refused.json()["errors"][0]["message"]
    assert f"/v1/organizations/{tenant.org_id}/" in refused.json()["errors"][0]["message"]
    assert done.status_code == 200


async def test_slack_needs_no_signing_secret(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await name_recipients(database, tenant, webhook_endpoints=[SLACK])

    assert (await ask(client, tenant, "webhook")).status_code == 200


async def test_how_it_fared_is_shown_as_it_goes(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await name_recipients(database, tenant, alert_emails=["alice@example.com"])
    trial = (await ask(client, tenant)).json()["data"]
    (message,) = trial["messages"]
    at = datetime.now(UTC)
    receipt = Attempt(at=at, delivered=True, ms=31, detail="accepted by the mail server")
    await attempted(database, tenant.org_id, message["message_id"], receipt)
    shown = await client.get(f"{URL}/{trial['trial_id']}", headers=tenant.viewer)

    after = shown.json()["data"]
    assert (after["trial_id"], after["created_at"]) == (trial["trial_id"], trial["created_at"])
    (message,) = after["messages"]
    assert (message["state"], message["notice"]) == ("delivered", "test")
    assert message["attempts"][0]["detail"] == "accepted by the mail server"


async def test_a_repetition_with_the_same_key_is_one_trial(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await name_recipients(database, tenant, alert_emails=["a@example.com"])
    headers = {"Idempotency-Key": "once"}
    first, second = [await ask(client, tenant, **headers) for _ in range(2)]

    assert first.json() == second.json()
    assert len(await messages_of(database, tenant)) == 1


async def test_ten_within_a_quarter_of_an_hour_are_enough(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await name_recipients(database, tenant, alert_emails=["a@example.com"])
    now = datetime.now(UTC)
    await add_trial(database, tenant.org_id, now - timedelta(minutes=16), "a@example.com")
    for age in (14, *[1] * 8):
        at = now - timedelta(minutes=age)
        await add_trial(database, tenant.org_id, at, "a@example.com")
    tenth, eleventh = [await ask(client, tenant) for _ in range(2)]

    assert (tenth.status_code, eleventh.status_code) == (200, 429)
    assert eleventh.json()["errors"][0]["error"] == "RATE_LIMITED"
    assert 0 < int(eleventh.headers["Retry-After"]) <= 60


async def test_a_foreign_trial_looks_like_none(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    now = datetime.now(UTC)
    foreign = await add_trial(database, other_tenant.org_id, now, "a@example.com")
    answers = [
        await client.get(f"{URL}/{each}", headers=tenant.operator)
        for each in (foreign, new_id("atr"))
    ]

    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


async def test_a_viewer_may_not(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await name_recipients(database, tenant, alert_emails=["a@example.com"])
    answer = await client.post(URL, json={}, headers=tenant.viewer)

    assert answer.status_code == 403
    assert await messages_of(database, tenant) == []
