"""Every example of the public contract, asked of the API and compared with its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.contracts import ConnectionTestOutcome
from api.app import create_app
from settings import Settings
from storage.engine import Database
from storage.tables import Role
from temporal_client import connect
from tests.api.tenants import Tenant
from tests.contract.exchange import (
    NEWER_REGION,
    Example,
    ask,
    examples,
    key_for,
    mismatches,
    prepared,
)
from tests.contract.likeness import differences
from tests.contract.past import MEANWHILE, PAST
from tests.workflows.fake_connection_test import FakeConnectionTest
from tests.workflows.harness import new_worker

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

EXAMPLES = examples()


@asynccontextmanager
async def api_for(
    example: Example,
    settings: Settings,
    database: Database,
    temporal_address: str,
    folder: Path,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API as this example needs it."""
    changes: dict[str, Any] = {}
    if example.get("needs") == "temporal":
        changes["temporal_address"] = temporal_address
    if example.get("regions") == "newer":
        regions = folder / "regions.toml"
        regions.write_text(f"[regions.us]{NEWER_REGION}")
        changes["regions_file"] = str(regions)
    changed = settings.model_copy(update=changes)
    app = create_app(changed, database=database)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
        AsyncExitStack() as stack,
    ):
        if "found" in example:
            fake = FakeConnectionTest(ConnectionTestOutcome.model_validate(example["found"]))
            worker = new_worker(await connect(changed), fake.all())
            await stack.enter_async_context(worker)
        yield client


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
async def test_the_contract_is_kept(
    example: Example,
    settings: Settings,
    database: Database,
    tenant: Tenant,
    temporal_address: str,
    tmp_path: Path,
) -> None:
    key = tenant.keys[Role.EDITOR]
    kept: dict[str, str] = {}
    if "given" in example:
        kept |= await PAST[example["given"]](database, tenant.org_id)
    async with api_for(example, settings, database, temporal_address, tmp_path) as client:
        kept = await prepared(client, example.get("before", []), key, kept)
        async with asyncio.TaskGroup() as group:
            if "meanwhile" in example:
                group.create_task(_of(MEANWHILE[example["meanwhile"]](database, tenant.org_id)))
            answer = await ask(client, example["request"], key_for(example, key), kept)

    assert mismatches(example, answer, answer.json(), kept) == []


async def _of(work: Any) -> None:
    await work


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        ({"a": 1}, "b: is missing"),
        ({"a": "1", "b": ["x"]}, "a: '1' is no number"),
        ({"a": True, "b": ["x"]}, "a: True is no number"),
        ({"a": 2, "b": ["x"]}, "a: 2 instead of 1"),
        ({"a": 1, "b": []}, "b: has 0 entries instead of 1"),
        ({"a": 1, "b": [None]}, "b.0: None is no string"),
    ],
)
def test_an_answer_that_is_not_the_example_is_seen(answered: Any, said: str) -> None:
    assert list(differences({"a": 1, "b": ["x"]}, answered)) == [said]


def test_a_null_may_become_a_value_where_that_depends_on_the_moment() -> None:
    assert list(differences({"a": None}, {"a": 1})) == ["a: 1 is no null"]
    assert list(differences({"a": None}, {"a": 1}, ("a",))) == []


def test_a_time_stands_for_any_time_in_utc() -> None:
    shown = "2026-03-09T12:00:00Z"

    assert list(differences(shown, "2027-01-01T00:00:00.123456Z")) == []
    assert list(differences(shown, "2027-01-01T00:00:00+01:00", (), "at")) != []
    assert list(differences(shown, "yesterday", (), "at")) != []
