"""An alert with its delivery log, and its acknowledgement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.alert_condition import ORGANIZATION
from domain.alert_picture import ChannelKind
from domain.alert_state import AlertMember
from storage import alerts, audit
from storage.alert_deliveries import Attempt
from storage.engine import Database
from storage.ids import new_id
from storage.tables import AuditEntry, OutboxEntry, Role
from tests.api.alerted import OPENED_AT, add_alert, add_message, alert_about, attempted
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

URL = "/v1/sip/alerts"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def told(database: Database, org_id: str) -> list[OutboxEntry]:
    async with database.system() as session:
        found = await session.scalars(select(OutboxEntry).where(col(OutboxEntry.org_id) == org_id))
        return list(found)


async def audited(database: Database, org_id: str) -> list[AuditEntry]:
    async with database.tenant(org_id) as session:
        return await audit.entries(session, org_id, limit=50)


class TestGet:
    async def test_it_shows_its_trunks_and_what_was_found(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        stays = AlertMember(
            trunk_id=new_id("trk"),
            name="Sales",
            numbers=12,
            since=OPENED_AT,
            endpoints=("sip1.example.com",),
            no_route=True,
            because="no answer",
        )
        left = AlertMember(
            trunk_id=new_id("trk"),
            name="Support",
            numbers=3,
            since=OPENED_AT,
            left_at=OPENED_AT + timedelta(minutes=3),
        )
        made = await add_alert(database, tenant.org_id, members=(stays, left), flaps=2)
        answer = await client.get(f"{URL}/{made.alert_id}", headers=tenant.viewer)

        data = answer.json()["data"]
        assert data["what_to_change"] == made.to_change
        assert (data["trunks_total"], data["numbers_total"], data["flaps"]) == (1, 12, 2)
        assert [each["name"] for each in data["members"]] == ["Sales", "Support"]
        assert data["members"][0]["no_route"] is True
        assert moment(data["members"][1]["left_at"]) == left.left_at
        assert data["messages"] == []

    async def test_once_over_it_counts_every_trunk_that_it_concerned(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        ended = OPENED_AT + timedelta(hours=1)
        members = tuple(
            each.model_copy(update={"left_at": ended}) for each in alert_about("org_x").members
        )
        made = await add_alert(database, tenant.org_id, members=members, resolved_at=ended)
        answer = await client.get(f"{URL}/{made.alert_id}", headers=tenant.viewer)

        data = answer.json()["data"]
        assert (data["open"], data["trunks_total"]) == (False, 1)
        assert moment(data["resolved_at"]) == ended

    async def test_an_alert_about_the_organization_itself_has_no_trunks(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        itself = AlertMember(trunk_id=ORGANIZATION, name="the organization", since=OPENED_AT)
        made = await add_alert(database, tenant.org_id, members=(itself,))
        answer = await client.get(f"{URL}/{made.alert_id}", headers=tenant.viewer)

        data = answer.json()["data"]
        assert (data["members"], data["trunks_total"]) == ([], 0)

    async def test_the_log_says_what_became_of_each_message(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        alert = await add_alert(database, tenant.org_id)
        arrived = await add_message(database, alert, ChannelKind.EMAIL, "alice@example.com")
        await add_message(database, alert, ChannelKind.SMS, "+14155550100")
        failing = await add_message(database, alert, ChannelKind.WEBHOOK, new_id("whk"))
        later = OPENED_AT + timedelta(seconds=5)
        await attempted(
            database,
            tenant.org_id,
            arrived,
            Attempt(at=later, delivered=True, ms=212, detail="accepted by the mail server"),
        )
        await attempted(
            database,
            tenant.org_id,
            failing,
            Attempt(at=OPENED_AT, delivered=False, ms=9, detail="HTTP 500", next_at=later),
            Attempt(at=later, delivered=False, ms=8, detail="HTTP 410"),
        )
        answer = await client.get(f"{URL}/{alert.alert_id}", headers=tenant.viewer)

        by_channel = {each["channel"]: each for each in answer.json()["data"]["messages"]}
        mail, text, hook = (by_channel[name] for name in ("email", "sms", "webhook"))
        assert (mail["recipient"], mail["state"], mail["next_attempt_at"]) == (
            "a***@example.com",
            "delivered",
            None,
        )
        assert moment(mail["ended_at"]) == later
        (attempt,) = mail["attempts"]
        assert (attempt["delivered"], attempt["ms"]) == (True, 212)
        assert attempt["detail"] == "accepted by the mail server"
        assert (text["recipient"], text["state"]) == ("+1415***0100", "pending")
        assert (text["notice"], text["attempts"]) == ("opened", [])
        assert moment(text["next_attempt_at"]) == OPENED_AT
        assert hook["recipient"].startswith("whk_")
        assert (hook["state"], hook["attempts_total"]) == ("given_up", 2)
        assert [each["detail"] for each in hook["attempts"]] == ["HTTP 500", "HTTP 410"]
        assert "alice" not in answer.text
        assert "4155550100" not in answer.text

    async def test_of_many_attempts_the_latest_are_shown(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        alert = await add_alert(database, tenant.org_id)
        message = await add_message(database, alert, ChannelKind.EMAIL, "a@example.com")
        again = OPENED_AT + timedelta(minutes=15)
        await attempted(
            database,
            tenant.org_id,
            message,
            *(
                Attempt(at=OPENED_AT, delivered=False, ms=n, detail="busy", next_at=again)
                for n in range(25)
            ),
        )
        answer = await client.get(f"{URL}/{alert.alert_id}", headers=tenant.viewer)

        (shown,) = answer.json()["data"]["messages"]
        assert shown["attempts_total"] == 25
        assert [each["ms"] for each in shown["attempts"]] == list(range(5, 25))
        assert moment(shown["next_attempt_at"]) == again

    @pytest.mark.parametrize("alert_id", ["x", "test", "alt_" + "0" * 24, "alt_" + "Z" * 24])
    async def test_what_is_not_there_is_not_found(
        self, client: httpx.AsyncClient, tenant: Tenant, alert_id: str
    ) -> None:
        answer = await client.get(f"{URL}/{alert_id}", headers=tenant.viewer)

        assert answer.status_code == 404
        assert answer.json()["errors"][0]["error"] == "NOT_FOUND"


class TestAcknowledge:
    async def test_it_is_noted_told_and_audited_once(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        alert = await add_alert(database, tenant.org_id)
        url = f"{URL}/{alert.alert_id}"
        first = await client.post(f"{url}/acknowledge", headers=tenant.editor)
        second = await client.post(f"{url}/acknowledge", headers=tenant.operator)
        shown = await client.get(url, headers=tenant.viewer)

        assert first.status_code == second.status_code == 200
        data = first.json()["data"]
        assert data["acknowledged_by"] == tenant.key_ids[Role.EDITOR]
        assert moment(data["acknowledged_at"]) <= datetime.now(UTC)
        assert second.json()["data"] == data
        assert data.items() <= shown.json()["data"].items()
        (entry,) = await told(database, tenant.org_id)
        assert (entry.stream, entry.kind) == (f"alert:{alert.alert_id}", alerts.ALERT_CHANGED)
        assert entry.payload == {"alert_id": alert.alert_id}
        (noted,) = await audited(database, tenant.org_id)
        assert (noted.action, noted.subject_id) == ("alert.acknowledge", alert.alert_id)
        assert noted.actor_id == tenant.key_ids[Role.EDITOR]
        assert noted.request_id == first.headers["X-Request-Id"]

    async def test_what_was_told_of_it_stays(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        alert = await add_alert(database, tenant.org_id, flaps=3)
        await client.post(f"{URL}/{alert.alert_id}/acknowledge", headers=tenant.editor)
        async with database.tenant(tenant.org_id) as session:
            after = await alerts.get(session, alert.alert_id)

        assert after is not None
        changes = ("acknowledged_at", "acknowledged_by", "changed_at")
        assert after.model_dump(exclude={*changes}) == alert.model_dump(exclude={*changes})

    async def test_an_alert_that_is_over_needs_nobody(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        alert = await add_alert(database, tenant.org_id, resolved_at=OPENED_AT)
        answer = await client.post(f"{URL}/{alert.alert_id}/acknowledge", headers=tenant.editor)

        assert answer.status_code == 409
        assert answer.json()["errors"][0]["error"] == "ALERT_RESOLVED"
        assert await told(database, tenant.org_id) == []
        assert await audited(database, tenant.org_id) == []

    async def test_a_viewer_may_not(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        alert = await add_alert(database, tenant.org_id)
        answer = await client.post(f"{URL}/{alert.alert_id}/acknowledge", headers=tenant.viewer)

        assert answer.status_code == 403
        assert await told(database, tenant.org_id) == []

    async def test_a_foreign_alert_looks_like_none(
        self,
        client: httpx.AsyncClient,
        tenant: Tenant,
        other_tenant: Tenant,
        database: Database,
    ) -> None:
        alert = await add_alert(database, other_tenant.org_id)
        answers = [
            await client.post(f"{URL}/{each}/acknowledge", headers=tenant.operator)
            for each in (alert.alert_id, "alt_" + "0" * 24)
        ]

        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].json() == answers[1].json()
