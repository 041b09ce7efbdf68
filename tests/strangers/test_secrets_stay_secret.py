"""Planted secrets, everything that can happen, and then a search of every place it could leave a trace."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pytest
from temporalio.client import Client

from temporal_client import register_search_attributes
from tests.observability.test_tracing import Collector
from tests.strangers.planted import NUMBERS, planted_product
from tests.strangers.planted_calls import call_everybody, lose_the_worker
from tests.support.canaries import (
    Place,
    database_places,
    file_places,
    history_places,
    inflated,
    leaks,
)
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import PostgresForTests
from tests.support.temporal import run_temporal

pytestmark = [
    pytest.mark.peer,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # Everything happens before the first test.
    pytest.mark.timeout(240),
]

WHERE = ("answers", "logs", "histories", "traces", "database")
ON_THE_WIRE = "sip_messages.data"
"""Where messages are kept as they were; whoever reads them through the API gets them masked."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was planted, and everything that was kept or told, by where it was found."""

    secrets: dict[str, str]
    calls: dict[str, str]
    """Nonces, responses to them and media keys of the test calls."""
    places: dict[str, list[Place]]
    call_ids: list[str]
    known: dict[str, str]
    """Something that is no secret and must be found there, or the search is blind."""


@pytest.fixture(scope="module")
async def aftermath(
    postgres: PostgresForTests,
    loopback: LoopbackBlock,
    tmp_path_factory: pytest.TempPathFactory,
) -> Aftermath:
    collector = Collector()
    folder = tmp_path_factory.mktemp("planted")
    temporal_folder = tmp_path_factory.mktemp("temporal-planted")
    with postgres.database() as urls:
        async with run_temporal(temporal_folder) as temporal:
            client = await Client.connect(temporal.address, namespace=temporal.namespace)
            await register_search_attributes(client)
            running = planted_product(
                folder, urls, temporal, loopback, collector=collector.endpoint
            )
            async with running as planted:
                await planted.configure()
                await planted.be_refused()
                await planted.discover()
                await call_everybody(planted, loopback, folder)
                await lose_the_worker(planted, loopback, folder)
                await planted.look_at_everything()
                # A process that stops sends the spans that it still has.
                await planted.product.stop()
            histories = await history_places(client)
        database = database_places(urls.admin_url)
    collector.stop()
    logs = [*folder.glob("log/*"), *temporal_folder.glob("log/*"), postgres.server.log]
    return Aftermath(
        planted.secrets,
        _call_secrets(database),
        {
            "answers": planted.recorder.places,
            "logs": file_places(*logs),
            "histories": histories,
            "traces": [Place("span", inflated(body)) for _, body in collector.requests],
            "database": database,
        },
        planted.call_ids,
        {
            "answers": NUMBERS[2],
            "logs": planted.tenant.org_id,
            # Only payloads have it, and those are base64.
            "histories": planted.tenant.org_id,
            "traces": "/v1/sip/attach",
            "database": NUMBERS[2],
        },
    )


def _call_secrets(database: list[Place]) -> dict[str, str]:
    wire = b"\n".join(each.content for each in database if each.name == ON_THE_WIRE).decode()
    kinds = {
        "nonce": r'\bnonce="([^"]+)"',
        "cnonce": r'cnonce="([^"]+)"',
        "response": r'response="([^"]+)"',
        "media key": r"inline:([A-Za-z0-9+/=]{40})",
    }
    found = {kind: sorted(set(re.findall(pattern, wire))) for kind, pattern in kinds.items()}
    assert all(found.values()), found
    return {
        f"{kind} {index}": each for kind, every in found.items() for index, each in enumerate(every)
    }


@pytest.mark.parametrize("where", WHERE)
async def test_no_secret_is_found_there(aftermath: Aftermath, where: str) -> None:
    places = aftermath.places[where]
    assert leaks({"something known": aftermath.known[where]}, places), "the search is blind"
    assert leaks(aftermath.secrets, places) == []


@pytest.mark.parametrize("where", WHERE)
async def test_nothing_that_opens_a_call_is_found_there(aftermath: Aftermath, where: str) -> None:
    places = [each for each in aftermath.places[where] if each.name != ON_THE_WIRE]
    assert leaks(aftermath.calls, places) == []


async def test_the_answers_about_every_call_were_searched(aftermath: Aftermath) -> None:
    answered = {each.name for each in aftermath.places["answers"]}
    for call_id in aftermath.call_ids:
        for what in ("trace", "pcap", "ladder.svg", "ladder.mmd", "events"):
            assert f"GET /v1/sip/test-call/{call_id}/{what} -> 200" in answered
    for path in (
        "/v1/sip",
        "/v1/sip/state",
        "/v1/sip/numbers",
        "/v1/sip/trunks",
        "/v1/sip/audit",
        "/metrics",
    ):
        assert f"GET {path} -> 200" in answered


@pytest.mark.parametrize("secret", ["canary-0123456789", 'ca"n/ry +ü\\0123456789'])
def test_a_secret_is_found_in_every_usual_encoding(secret: str) -> None:
    raw = f"password={secret}&".encode()
    written = {
        "plain": raw,
        "URL": urlencode({"password": secret}).encode(),
        "path": quote(secret).encode(),
        "JSON": json.dumps({"password": secret}).encode(),
        "JSON as UTF-8": json.dumps({"password": secret}, ensure_ascii=False).encode(),
        "hexadecimal": raw.hex().encode(),
        **{f"base64 {n}": base64.b64encode(bytes(n) + raw) for n in range(3)},
        **{f"base64url {n}": base64.urlsafe_b64encode(bytes(n) + raw) for n in range(3)},
    }
    places = [Place(name, content) for name, content in written.items()]
    assert {each.place for each in leaks({"it": secret}, places)} == set(written)


async def test_every_kind_of_secret_was_planted(aftermath: Aftermath) -> None:
    assert {
        *("sip password", "register", "password for the PBX", "signing secret", "API key"),
        *("trunk's call", "trunk's register", "trunk's new", "key of the ring"),
        *("client key", "trunk's password in a document"),
    } <= aftermath.secrets.keys()
    assert len(set(aftermath.secrets.values())) == len(aftermath.secrets)
