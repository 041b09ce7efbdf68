"""Orders over the API with their real workflow, activities, and the simulated carrier behind it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from PIL import Image

from activities.port_desk import open_port_desk
from activities.ports import PortActivities
from api.app import create_app
from domain.porting.events import FactKind
from settings import Settings
from storage import port_letters, port_orders
from storage.engine import Database
from storage.secret_box import SecretBox
from temporal_client import connect, register_search_attributes
from tests.activities.port_life import Outbox
from tests.api.ported import LANDLINE, MOBILE, PIN, Porter, body
from tests.api.tenants import Tenant
from tests.api.waiting import eventually
from tests.workflows.harness import dev_server, new_worker

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

SCALE = 150_000
"""A day in half a second, the two weeks in which somebody has to mend an order in eight."""


@pytest.fixture(scope="module")
async def temporal_address() -> AsyncIterator[str]:
    """A server of this file's own: its worker would take up what other tests left on a shared one."""
    started = await dev_server(ui=False)
    async with started:
        await register_search_attributes(started.client)
        yield started.client.service_client.config.target_host


@pytest.fixture
async def porter(
    settings: Settings,
    database: Database,
    tenant: Tenant,
    temporal_address: str,
    tmp_path: Path,
) -> AsyncIterator[Porter]:
    changed = settings.model_copy(
        update={"temporal_address": temporal_address, "porting_clock_scale": SCALE}
    )
    assert changed.secret_keys is not None
    box = SecretBox.from_key_ring(changed.secret_keys.get_secret_value())
    app = create_app(changed, database=database)
    activities = PortActivities(open_port_desk(changed, database, box), Outbox())
    transport = httpx.ASGITransport(app=app)
    async with (
        new_worker(
            await connect(changed),
            [
                activities.open,
                activities.advance,
                activities.record,
                activities.validate,
                activities.tell_carrier,
                activities.look,
                activities.attach,
                activities.due_notices,
                activities.deliver,
            ],
        ),
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):
        yield Porter(client, tenant, database)


async def bill(porter: Porter) -> str:
    """The id of an uploaded document."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(made, "PNG")
    files = {"file": ("bill.png", made.getvalue())}
    kept = await porter.told("POST", "/document", files=files)
    document_id: str = kept["document_sid"]
    return document_id


async def until(porter: Porter, order_id: str, *wanted: str) -> None:
    async def there() -> bool:
        found = (await porter.told("GET", f"/{order_id}"))["sub_status"]
        return found in wanted

    await eventually(there, seconds=40)


async def sign(porter: Porter, order_id: str) -> None:
    """What the signing page does."""
    now = datetime.now(UTC)
    async with porter.database.tenant(porter.tenant.org_id) as session:
        letter = await port_letters.newest(session, order_id)
        assert letter is not None
        await port_letters.sign(
            session, letter.id, sha256="0" * 64, stored_key=letter.unsigned_key, now=now
        )
        org_id = porter.tenant.org_id
        await port_orders.tell(
            session, org_id, order_id, FactKind.LOA_SIGNED, letter=letter.revision
        )


async def test_a_port_goes_from_its_order_to_numbers_that_are_here(porter: Porter) -> None:
    document_id = await bill(porter)
    order_id = await porter.placed(LANDLINE, documents=[document_id])
    await until(porter, order_id, "awaiting_signature")
    letter = await porter.ask("GET", f"/{order_id}/loa")
    assert letter.content.startswith(b"%PDF-")

    await sign(porter, order_id)
    await until(porter, order_id, "completed", "partially_completed")
    shown = await porter.told("GET", f"/{order_id}")
    assert (shown["status"], shown["cancelable"]) == ("completed", False)
    assert [each["status"] for each in shown["phone_numbers"]] == ["completed"]
    timeline = await porter.told("GET", f"/{order_id}/timeline")
    reached = [each["to_sub_status"] for each in timeline["entries"] if each["to_sub_status"]]
    wanted = ["awaiting_signature", "submitting", "lsr_sent", "foc_confirmed", "completed"]
    assert [each for each in reached if each in wanted] == wanted
    again = await porter.ask("DELETE", f"/{order_id}")
    assert again.json()["errors"][0]["error"] == "PORT_ALREADY_ENDED"


async def test_a_port_that_nobody_heard_of_is_canceled_at_once(porter: Porter) -> None:
    document_id = await bill(porter)
    order_id = await porter.placed(LANDLINE, documents=[document_id])
    await until(porter, order_id, "awaiting_signature")
    assert await porter.told("DELETE", f"/{order_id}") == {"canceled": True}
    assert (await porter.told("GET", f"/{order_id}"))["status"] == "canceled"
    assert await porter.told("DELETE", f"/{order_id}") == {"canceled": True}


async def test_a_wrong_pin_is_mended_and_the_order_goes_on(porter: Porter) -> None:
    document_id = await bill(porter)
    wanted = body({"number": MOBILE, "pin": PIN}, documents=[document_id])
    order_id = (await porter.told("POST", "/initiate", wanted))["port_request_id"]
    await porter.told("POST", f"/{order_id}/simulate", {"scenario": "pin_invalid"})
    await until(porter, order_id, "awaiting_signature")
    await sign(porter, order_id)
    await until(porter, order_id, "action_required")
    [action] = (await porter.told("GET", f"/{order_id}"))["action_required"]
    assert action["code"] == "pin_invalid"
    said = await porter.told("POST", f"/{order_id}/resubmit", {"phone_number_pins": {MOBILE: "8"}})
    assert said["needs_new_loa"] is False
    await until(porter, order_id, "completed", "partially_completed")
