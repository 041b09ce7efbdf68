"""Documents that are refused: with the field named, and nothing changed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from api.schemas.state import MAX_NEW_CONNECTIONS, MAX_STATE_NUMBERS
from storage.engine import Database
from tests.api.configured import INBOUND, OUTBOUND, attached, post
from tests.api.states import applied, configured, document, error, export, put, rows
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create

NUMBER = "+14150000001"
ACME: dict[str, Any] = {"name": "Acme", "direction": "both", "sip_endpoint": "acme.example.com"}
PLAIN: dict[str, Any] = {"sip_endpoint": "sip:trunk.provider.com"}
ON_ACME = [{"trunk": "Acme"}]


def body(*numbers: Any, trunks: Any = (), version: Any = 1) -> dict[str, Any]:
    return {"version": version, "trunks": list(trunks), "numbers": list(numbers)}


def one(**routes: Any) -> dict[str, Any]:
    return {"phone_numbers": [NUMBER], **routes}


CASES: dict[str, tuple[Any, str]] = {
    "no version": ({"trunks": [], "numbers": []}, "version"),
    "another version": (body(version=2), "version"),
    "no trunks": ({"version": 1, "numbers": []}, "trunks"),
    "no numbers": ({"version": 1, "trunks": []}, "numbers"),
    "an unknown field": ({**body(), "name": "x"}, "name"),
    "a number that is none": (
        body({"phone_numbers": ["(415) 555-0100"], "inbound": [{}]}),
        "numbers.0.phone_numbers.0",
    ),
    "a number that is no text": (
        body({"phone_numbers": [14155550100], "inbound": [{}]}),
        "numbers.0.phone_numbers.0",
    ),
    "an extension without a trunk": (
        body({"phone_numbers": ["2001"], "inbound": [{}]}),
        "numbers.0.phone_numbers.0",
    ),
    "a number twice": (
        body(one(inbound=[{}]), {"phone_numbers": ["14150000001"], "outbound": [PLAIN]}),
        "numbers.1.phone_numbers.0",
    ),
    "a number without a configuration": (body(one()), "numbers.0.inbound"),
    "no number": (body({"phone_numbers": [], "inbound": [{}]}), "numbers.0.phone_numbers"),
    "eleven configurations": (
        body(one(outbound=[{"sip_endpoint": f"a{n}.example.com"} for n in range(11)])),
        "numbers.0.outbound",
    ),
    "eleven configurations in both directions": (
        body(
            one(inbound=[{}], outbound=[{"sip_endpoint": f"a{n}.example.com"} for n in range(10)])
        ),
        "numbers.0.outbound",
    ),
    "no endpoint": (body(one(outbound=[{}])), "numbers.0.outbound.0.sip_endpoint"),
    "authentication of calls that go out": (
        body(one(outbound=[{**PLAIN, "auth_mode": "ip"}])),
        "numbers.0.outbound.0.auth_mode",
    ),
    "half a registration": (
        body(one(inbound=[{"auth_mode": "register"}])),
        "numbers.0.inbound.0.register_auth",
    ),
    "a wrong port": (
        body(one(outbound=[{**PLAIN, "options": {"port": 0}}])),
        "numbers.0.outbound.0.options.port",
    ),
    "headers of the other direction": (
        body(one(inbound=[{"headers": {"direction": "outbound", "headers": []}}])),
        "numbers.0.inbound.0.headers.direction",
    ),
    "a header that is ours": (
        body(one(outbound=[{**PLAIN, "headers": {"Via": "x"}}])),
        "numbers.0.outbound.0.headers",
    ),
    "alerts that nobody hears": (
        body(one(outbound=[{**PLAIN, "alert_config": {"channels": {"email": True}}}])),
        "numbers.0.outbound.0.alert_config.channels.email",
    ),
    "failover to nowhere": (
        body(trunks=[{**ACME, "failover_config": {"enabled": True}}]),
        "trunks.0.failover_config.endpoints",
    ),
    "codecs ordered twice": (
        body(
            trunks=[{**ACME, "options": {"codecs": ["PCMU"]}, "codec_config": {"codecs": ["PCMA"]}}]
        ),
        "trunks.0.codec_config.codecs",
    ),
    "the same twice": (
        body(one(outbound=[PLAIN, {"sip_endpoint": "trunk.provider.com"}])),
        "numbers.0.outbound.1",
    ),
    "the same trunk twice": (
        body(one(outbound=[*ON_ACME, *ON_ACME]), trunks=[ACME]),
        "numbers.0.outbound.1",
    ),
    "a trunk that is not there": (body(one(outbound=ON_ACME)), "numbers.0.outbound.0.trunk"),
    "settings beside a trunk": (
        body(one(outbound=[{**PLAIN, "trunk": "Acme"}]), trunks=[ACME]),
        "numbers.0.outbound.0.sip_endpoint",
    ),
    "a trunk of the other direction": (
        body(one(inbound=ON_ACME), trunks=[{**ACME, "direction": "outbound"}]),
        "numbers.0.inbound.0.trunk",
    ),
    "a trunk that leads nowhere": (
        body(one(outbound=ON_ACME), trunks=[{"name": "Acme", "direction": "both"}]),
        "numbers.0.outbound.0.trunk",
    ),
    "two trunks of one name": (body(trunks=[ACME, ACME]), "trunks.0.name"),
    "an unknown trunk_id": (
        body(trunks=[{**ACME, "trunk_id": "trk_0000000000000000000000"}]),
        "trunks.0.trunk_id",
    ),
    "a trunk_id that is none": (body(trunks=[{**ACME, "trunk_id": "acme"}]), "trunks.0.trunk_id"),
    "a trunk without a name": (body(trunks=[{"direction": "both"}]), "trunks.0.name"),
    "too many new connections": (
        body(
            *(
                {
                    "phone_numbers": [f"+1415{last:07}"],
                    "outbound": [{"sip_endpoint": f"a{last}.example.com"}],
                }
                for last in range(MAX_NEW_CONNECTIONS + 1)
            )
        ),
        "numbers",
    ),
    "too many numbers": (
        body(
            {"phone_numbers": ["1"] * MAX_STATE_NUMBERS, "inbound": [{}]},
            one(inbound=[{}]),
        ),
        "numbers",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_wrong_document_is_refused_by_its_field_and_changes_nothing(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, case: str
) -> None:
    wrong, field = CASES[case]
    await applied(client, tenant, [], [one(inbound=[{}])])
    before = await rows(database, tenant)

    for dry_run in (True, False):
        answer = await put(client, tenant, wrong, dry_run=dry_run)

        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0].get("field") == field
    assert await rows(database, tenant) == before


async def test_everything_that_is_wrong_is_told_at_once(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    wrong = body(
        {"phone_numbers": ["+1", NUMBER], "outbound": [{"trunk": "nowhere"}]},
        {"phone_numbers": [NUMBER], "inbound": ON_ACME},
        trunks=[{**ACME, "options": {"sip_username": "a", "sip_password": "********"}}],
    )

    answer = await put(client, tenant, wrong)

    # A number on a trunk that is refused itself is not refused for that.
    assert [each["field"] for each in answer.json()["errors"]] == [
        "trunks.0.options.sip_password",
        "numbers.0.phone_numbers.0",
        "numbers.0.outbound.0.trunk",
        "numbers.1.phone_numbers.0",
    ]


async def test_a_number_of_another_organization_refuses_the_whole_document(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    await attached(client, other_tenant, "+14150000009", directions=[INBOUND])
    wanted = body(
        {"phone_numbers": ["+14150000007", "+14150000008", "+14150000009"], "inbound": [{}]}
    )
    before = await rows(database, tenant)

    for dry_run in (True, False):
        answer = await put(client, tenant, wanted, dry_run=dry_run)

        assert error(answer) == (409, "NUMBER_UNAVAILABLE", "numbers.0.phone_numbers.2")
    assert await rows(database, tenant) == before
    # Those that were free are still free.
    mine = await attached(client, other_tenant, "+14150000007", directions=[INBOUND])
    assert mine["failed"] == []


async def test_trunks_of_one_name_are_told_apart_by_their_ids_alone(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    for _ in range(2):
        await create(client, tenant, name="Acme", auth_mode="ip", register_auth=None)

    by_name = await put(client, tenant, body(trunks=[ACME]))
    exported = await document(client, tenant)
    exported["numbers"] = [{"phone_numbers": ["2001"], "outbound": ON_ACME}]
    by_reference = await put(client, tenant, exported)

    assert error(by_name) == (400, "INVALID_REQUEST", "trunks.0.name")
    assert error(by_reference) == (400, "INVALID_REQUEST", "numbers.0.outbound.0.trunk")


async def test_a_dry_run_tells_the_changes_and_makes_none(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    await configured(client, tenant)
    before = await rows(database, tenant)
    wanted = body({"phone_numbers": ["+14150000009"], "inbound": [{}]}, trunks=[ACME])

    planned = await put(client, tenant, wanted, dry_run=True)

    assert planned.json()["data"]["applied"] is False
    assert await rows(database, tenant) == before
    assert planned.headers["ETag"] == (await export(client, tenant)).headers["ETag"]
    free = await attached(client, other_tenant, "+14150000009", directions=[INBOUND])
    assert free["failed"] == []
    await post(
        client,
        other_tenant,
        "detach",
        phone_number="+14150000009",
        directions=[{"type": "inbound"}],
        service="sip",
    )
    made = await put(client, tenant, wanted, if_match=planned.headers["ETag"])
    assert made.json()["data"] == {**planned.json()["data"], "applied": True}
    assert made.headers["ETag"] == (await export(client, tenant)).headers["ETag"]


async def test_a_document_for_an_older_configuration_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    seen = (await export(client, tenant)).headers["ETag"]
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    before = await rows(database, tenant)

    for dry_run in (True, False):
        answer = await put(client, tenant, body(), if_match=seen, dry_run=dry_run)

        assert error(answer) == (412, "PRECONDITION_FAILED", None)
        assert answer.headers["ETag"] == (await export(client, tenant)).headers["ETag"]
    assert await rows(database, tenant) == before
    malformed = await put(client, tenant, body(), if_match="seen")
    assert error(malformed) == (400, "INVALID_REQUEST", "If-Match")
    assert (await put(client, tenant, body(), if_match="*")).status_code == 200


async def test_of_documents_for_the_same_configuration_one_wins(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    seen = (await export(client, tenant)).headers["ETag"]
    wanted = [
        body({"phone_numbers": [f"+1415000000{last}"], "outbound": [PLAIN]}) for last in range(4)
    ]

    answers = await asyncio.gather(*(put(client, tenant, each, if_match=seen) for each in wanted))

    assert sorted(each.status_code for each in answers) == [200, 412, 412, 412]
    (winner,) = (
        each for each, answer in zip(wanted, answers, strict=True) if answer.status_code == 200
    )
    assert (await document(client, tenant))["numbers"] == winner["numbers"]


async def test_a_repetition_with_its_key_is_answered_again(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    wanted = body(one(outbound=[PLAIN]))

    first, second = [await put(client, tenant, wanted, key="state-1") for _ in range(2)]

    assert first.json() == second.json()
    assert first.headers["ETag"] == second.headers["ETag"]
    assert second.headers["Idempotent-Replayed"] == "true"
