"""Requests made from the OpenAPI document: no bug answers, and nothing that the document leaves out.

A few of each operation, the same in every run; ``CONFORMANCE_EXAMPLES`` asks for more, and then
they are others each time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from pydantic import SecretStr
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.alert_picture import ChannelKind
from settings import Settings
from storage import discoveries, organizations
from storage.engine import Database
from storage.secret_box import generate_key
from tests.api.alerted import add_alert, add_message, add_trial
from tests.api.bodies import NUMBER
from tests.api.calling import conclude
from tests.api.configured import attach_number
from tests.api.tenants import Tenant, make_tenant
from tests.api.test_openapi import DOCUMENT, OPERATIONS
from tests.api.test_serve import ROOT, environment, ready
from tests.api.victims import (
    VICTIMS_NUMBER,
    add_discovery,
    add_port_order,
    add_test_call,
)
from tests.support.postgres import PostgresForTests

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

ASKED_FOR = os.environ.get("CONFORMANCE_EXAMPLES")
EXAMPLES = int(ASKED_FOR or 6)
TIMEOUT = 20.0
"""Seconds for one answer."""

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HEALTH = {("GET", "/healthz"), ("GET", "/readyz")}
ENDLESS = {("GET", "/v1/sip/calls/events")}
"""An answer that goes on for as long as somebody listens; what it refuses, the list refuses too."""
AWAY = 503
NOT_HERE = {"Temporal cannot be reached at the moment"}
"""Who is away during these tests: an answer that says so is no bug."""

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
ASKED = [
    pytest.param((method.upper(), path), mode, id=f"{method.upper()} {path}-{mode.value}")
    for (method, path), operation in OPERATIONS.items()
    for mode in GenerationMode
    # Nothing of a request without input can be wrong.
    if mode is GenerationMode.POSITIVE or "requestBody" in operation or operation.get("parameters")
    if (method.upper(), path) not in ENDLESS
]


@dataclass(frozen=True, slots=True)
class Api:
    """A running API: its address, the headers of an operator, and names of what is there."""

    url: str
    headers: dict[str, str]
    known: dict[str, str]


@pytest.fixture(scope="module")
async def api(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """The API as a process, over a database with something of everything. It reaches nobody."""
    with postgres.database() as database_urls:
        settings = Settings(
            database_url=SecretStr(database_urls.app_url),
            secret_keys=SecretStr(generate_key("test")),
            temporal_address="127.0.0.1:1",
        )
        database = Database(database_urls.app_url)
        tenant = await make_tenant(database)
        known = await things(database, settings, tenant)
        await database.dispose()
        folder = tmp_path_factory.mktemp("api")
        with (folder / "log").open("wb") as log:
            # Its log goes to a file: nobody reads a pipe while the tests run.
            running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.serve", "--ready-file", str(folder / "ready.json")),
                cwd=ROOT,
                env=environment(
                    settings,
                    TRUNKLINE_DNS_SERVERS="127.0.0.1:1",
                    TRUNKLINE_DOCUMENT_FOLDER=str(folder / "documents"),
                ),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        try:
            yield Api((await ready(folder / "ready.json"))["url"], tenant.operator, known)
        finally:
            running.kill()
            await running.wait()


async def things(database: Database, settings: Settings, tenant: Tenant) -> dict[str, str]:
    """What requests can be about, by the name of the parameter or field that names it."""
    org_id = tenant.org_id
    call_id = await add_test_call(database, org_id)
    # What still ran would be followed for as long as a request may last.
    await conclude(database, org_id, call_id)
    discovery_id = await add_discovery(database, org_id, "sip.example.com")
    now = datetime.now(UTC)
    async with database.tenant(org_id) as session:
        await discoveries.complete(
            session, discovery_id, recommended=None, fingerprint=None, now=now
        )
    async with database.system() as session:
        await organizations.change(session, org_id, alert_emails=["it@example.com"])
    alert = await add_alert(database, org_id, opened_at=now, resolved_at=now)
    await add_message(database, alert, ChannelKind.EMAIL, "it@example.com")
    port_id, document_id = await add_port_order(database, org_id)
    return {
        "id": port_id,
        "document_id": document_id,
        "number": VICTIMS_NUMBER,
        "org_id": (await make_tenant(database, "Another")).org_id,
        "trunk_id": await attach_number(database, settings, org_id, NUMBER),
        "phone_number": NUMBER,
        "call_id": call_id,
        "discovery_id": discovery_id,
        "alert_id": alert.alert_id,
        "trial_id": await add_trial(database, org_id, now, "it@example.com"),
    }


def about(case: Case[Any], known: dict[str, str]) -> None:
    """Let a request name what is there."""
    for holder in (case.path_parameters, case.query, case.body):
        if isinstance(holder, dict):
            names = known.keys() & holder.keys()
            # In a body an id is of something else than in the path.
            names -= set() if holder is case.path_parameters else {"id"}
            holder.update({name: known[name] for name in names})


@pytest.mark.parametrize(("place", "mode"), ASKED)
def test_every_answer_is_one_of_the_document(
    place: tuple[str, str], mode: GenerationMode, api: Api
) -> None:
    method, path = place
    operation = SCHEMA[path][method]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=ASKED_FOR is None,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), real=strategies.booleans())
    def ask(case: Case[Any], real: bool) -> None:
        if real and mode is GenerationMode.POSITIVE:
            about(case, api.known)
        answer = case.call(base_url=api.url, headers=api.headers, timeout=TIMEOUT)
        case.validate_response(answer, checks=checks_of(answer.headers))
        if answer.status_code >= 500 and place not in HEALTH:
            assert answer.status_code == AWAY, answer.text
            assert answer.json()["errors"][0]["message"] in NOT_HERE, answer.text

    ask()


def checks_of(headers: Mapping[str, Any]) -> list[Any]:
    """A stream of events is text to the document, and to its reader one object for each event."""
    if any("text/event-stream" in kind for kind in headers.get("content-type", ())):
        return [each for each in CHECKS if each is not response_schema_conformance]
    return CHECKS
