"""Every example of the public contract, asked of the API and compared with its answer.

The examples are data, a file of ``examples/`` for each section. An entry is named by its section;
``(newer)`` marks what the generation after the guide brought. ``before`` are requests that must
succeed, ``given`` is what else has happened (see ``past``), ``found`` is what a worker finds out,
``keep`` names values of an answer for
``{name}`` in what follows. Of the answer only the JSON type counts at the paths in ``varies``, none
of ``absent`` is there, and no text of ``never`` occurs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.contracts import ConnectionTestOutcome
from api.app import create_app
from settings import Settings
from storage.engine import Database
from temporal_client import connect
from tests.api.tenants import Tenant
from tests.contract.likeness import ABSENT, differences, found_at
from tests.contract.past import MEANWHILE, PAST
from tests.workflows.fake_connection_test import FakeConnectionTest
from tests.workflows.harness import new_worker

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

FOLDER = Path(__file__).with_name("examples")
NEWER_REGIONS = """
[regions.us]
name = "US2"
sip_server = "us2.sip.bland.ai"
changed_on = 2026-10-01
signaling = ["35.82.60.77", "52.27.163.2"]
media = ["52.13.231.129", "35.160.144.213", "44.234.13.26", "54.218.96.252"]
rtp_ports = [16384, 32768]
"""
FIELDS = {
    *("name", "key", "needs", "regions", "given", "before", "meanwhile", "found"),
    *("request", "status", "answer", "varies", "absent", "never"),
}


def examples() -> Iterator[Any]:
    for file in sorted(FOLDER.glob("*.json")):
        for example in json.loads(file.read_text(encoding="utf-8")):
            yield pytest.param(example, id=f"{file.stem} {example['name']}")


def filled(value: Any, kept: dict[str, str]) -> Any:
    """The value with what was kept in place of ``{name}``, and lists of numbers written out."""
    if isinstance(value, dict):
        if value.keys() == {"$numbers"}:
            return [f"+1415000{last:04}" for last in range(value["$numbers"])]
        return {name: filled(inner, kept) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, kept) for inner in value]
    if isinstance(value, str):
        for name, text in kept.items():
            value = value.replace(f"{{{name}}}", text)
    return value


def authorization(tenant: Tenant, example: dict[str, Any]) -> str:
    match example.get("key", "bearer"):
        case "bearer":
            return tenant.editor["Authorization"]
        case "raw":
            return tenant.editor["Authorization"].removeprefix("Bearer ")
        case "unknown":
            return "Bearer sk-nobody"
    raise NotImplementedError(example["key"])


@asynccontextmanager
async def api_for(
    example: dict[str, Any],
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
        regions.write_text(NEWER_REGIONS)
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


async def ask(
    client: httpx.AsyncClient, request: dict[str, Any], key: str, kept: dict[str, str]
) -> httpx.Response:
    return await client.request(
        request["method"],
        filled(request["path"], kept),
        params=filled(request.get("query"), kept),
        json=filled(request.get("body"), kept),
        headers={"Authorization": key},
    )


@pytest.mark.parametrize("example", [*examples()])
async def test_the_contract_is_kept(
    example: dict[str, Any],
    settings: Settings,
    database: Database,
    tenant: Tenant,
    temporal_address: str,
    tmp_path: Path,
) -> None:
    assert example.keys() <= FIELDS
    kept: dict[str, str] = {}
    if "given" in example:
        kept |= await PAST[example["given"]](database, tenant.org_id)
    async with api_for(example, settings, database, temporal_address, tmp_path) as client:
        for step in example.get("before", ()):
            done = await ask(client, step, tenant.editor["Authorization"], kept)
            assert done.status_code == 200, done.text
            assert not (done.json()["data"].get("failed")), done.text
            kept |= {name: found_at(done.json(), at) for name, at in step.get("keep", {}).items()}
        async with asyncio.TaskGroup() as group:
            if "meanwhile" in example:
                group.create_task(_of(MEANWHILE[example["meanwhile"]](database, tenant.org_id)))
            answer = await ask(client, example["request"], authorization(tenant, example), kept)

    assert answer.status_code == example.get("status", 200), answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert list(said) == ["data", "errors"]
    assert list(differences(filled(example["answer"], kept), said, example.get("varies", ()))) == []
    for path in example.get("absent", ()):
        assert found_at(said, path) is ABSENT
    for text in example.get("never", ()):
        assert text not in answer.text


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


def test_a_time_stands_for_any_time_in_utc() -> None:
    shown = "2026-03-09T12:00:00Z"

    assert list(differences(shown, "2027-01-01T00:00:00.123456Z")) == []
    assert list(differences(shown, "2027-01-01T00:00:00+01:00", (), "at")) != []
    assert list(differences(shown, "yesterday", (), "at")) != []
