"""Quiet hours of an organization: set, shown, cleared, and wrong in each way."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.schemas.quiet_hours import QuietHoursInput, QuietHoursView, Weekday
from domain.alert_kinds import Severity
from domain.alert_quiet import QuietHours
from storage import audit, organizations
from storage.engine import Database
from tests.api.tenants import Tenant

NIGHT = {"start": "22:00", "end": "07:00", "zone": "Europe/Berlin"}
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WHOLE = {**NIGHT, "days": WEEK, "pierced_by": "critical"}


async def change(
    client: httpx.AsyncClient, tenant: Tenant, quiet_hours: Any, **headers: str
) -> httpx.Response:
    return await client.patch(
        f"/v1/organizations/{tenant.org_id}",
        json={"quiet_hours": quiet_hours},
        headers=headers or tenant.editor,
    )


@pytest.mark.postgres
async def test_an_editor_sets_and_clears_them(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    before = await client.get(f"/v1/organizations/{tenant.org_id}", headers=tenant.viewer)
    made = await change(client, tenant, NIGHT)
    same = await change(client, tenant, WHOLE)
    async with database.tenant(tenant.org_id) as session:
        row = await organizations.get(session, tenant.org_id)
    cleared = await change(client, tenant, None)

    assert before.json()["data"]["quiet_hours"] is None
    assert made.json()["data"]["quiet_hours"] == WHOLE
    assert same.json()["data"] == made.json()["data"]
    assert row is not None
    kept = QuietHours.model_validate(row.quiet_hours)
    assert (kept.zone, kept.days, kept.pierced_by) == (
        "Europe/Berlin",
        (0, 1, 2, 3, 4, 5, 6),
        Severity.CRITICAL,
    )
    assert cleared.json()["data"]["quiet_hours"] is None
    async with database.tenant(tenant.org_id) as session:
        entries = await audit.entries(session, tenant.org_id, limit=50)
    assert [(each.before, each.after) for each in entries] == [
        ({"quiet_hours": WHOLE}, {"quiet_hours": None}),
        ({"quiet_hours": None}, {"quiet_hours": WHOLE}),
    ]


@pytest.mark.postgres
async def test_other_changes_leave_them_alone(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await change(client, tenant, NIGHT)
    answer = await client.patch(
        f"/v1/organizations/{tenant.org_id}",
        json={"alert_emails": ["noc@example.com"]},
        headers=tenant.editor,
    )

    assert answer.json()["data"]["quiet_hours"] == WHOLE


@pytest.mark.postgres
async def test_a_new_organization_may_have_them(client: httpx.AsyncClient, tenant: Tenant) -> None:
    wanted = {**NIGHT, "days": ["sun", "sat"], "pierced_by": "warning"}
    answer = await client.post(
        "/v1/organizations",
        json={"name": "New", "quiet_hours": wanted},
        headers=tenant.operator,
    )

    assert answer.status_code == 201
    assert answer.json()["data"]["quiet_hours"] == {**wanted, "days": ["sat", "sun"]}


@pytest.mark.postgres
async def test_a_viewer_may_not(client: httpx.AsyncClient, tenant: Tenant) -> None:
    assert (await change(client, tenant, NIGHT, **tenant.viewer)).status_code == 403


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"start": "24:00"}, "quiet_hours.start"),
        ({"start": "7:00"}, "quiet_hours.start"),
        ({"start": "22:00:00"}, "quiet_hours.start"),
        ({"start": "22:00\n"}, "quiet_hours.start"),
        ({"start": 22}, "quiet_hours.start"),
        ({"end": "07:60"}, "quiet_hours.end"),
        ({"end": None}, "quiet_hours.end"),
        ({"zone": "Mars/Olympus"}, "quiet_hours.zone"),
        ({"zone": "../../etc/passwd"}, "quiet_hours.zone"),
        ({"zone": "Europe"}, "quiet_hours.zone"),
        ({"zone": ""}, "quiet_hours.zone"),
        ({"zone": "x" * 65}, "quiet_hours.zone"),
        ({"days": []}, "quiet_hours.days"),
        ({"days": ["mon", "mon"]}, "quiet_hours.days"),
        ({"days": ["monday"]}, "quiet_hours.days.0"),
        ({"days": [0]}, "quiet_hours.days.0"),
        ({"pierced_by": "loud"}, "quiet_hours.pierced_by"),
        ({"until": "07:00"}, "quiet_hours.until"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, tenant: Tenant, wrong: dict[str, Any], field: str
) -> None:
    answer = await change(client, tenant, {**NIGHT, **wrong})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field


@given(
    st.times(),
    st.times(),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
    st.sets(st.sampled_from(Weekday), min_size=1),
    st.sampled_from(Severity),
)
def test_what_is_set_is_what_is_shown(
    start: Any, end: Any, zone: str, days: set[Weekday], pierced_by: Severity
) -> None:
    wanted = QuietHoursInput(
        start=f"{start:%H:%M}",
        end=f"{end:%H:%M}",
        zone=zone,
        days=list(days),
        pierced_by=pierced_by,
    )
    shown = QuietHoursView.of(wanted.stored())

    assert shown.model_dump(exclude={"days"}) == wanted.model_dump(exclude={"days"})
    assert set(shown.days) == days
