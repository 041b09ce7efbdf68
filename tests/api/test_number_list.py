"""Showing one number, listing them (contract 3.1 and 3.5), and generated passwords (3.6)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.passwords import PASSWORD_ALPHABET
from tests.api.configured import INBOUND, OUTBOUND, attached, configuration
from tests.api.tenants import Tenant

NUMBER = "+14150000000"


async def listed(client: httpx.AsyncClient, tenant: Tenant, **query: Any) -> dict[str, Any]:
    answer = await client.get("/v1/sip/numbers", params=query, headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_a_number_is_shown_as_the_contract_shows_it(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[INBOUND, OUTBOUND])

    shown = await configuration(client, tenant, NUMBER)

    common = {"number": NUMBER, "org_id": tenant.org_id, "headers": None}
    for direction, endpoint, options in (
        ("inbound", None, INBOUND | {"type": None}),
        ("outbound", "sip:trunk.provider.com", OUTBOUND["options"]),
    ):
        found = shown[direction]
        assert found["created_at"].endswith("Z")
        assert found["updated_at"].endswith("Z")
        assert found["options"] == {k: v for k, v in options.items() if v is not None}
        assert found.items() >= {**common, "direction": direction, "sip_endpoint": endpoint}.items()
        assert shown[f"{direction}_configs"] == [found]


@pytest.mark.parametrize("asked", ["+14150000000", "14150000000", " 14150000000"])
async def test_a_number_is_found_by_every_spelling_of_it(
    client: httpx.AsyncClient, tenant: Tenant, asked: str
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])

    assert (await configuration(client, tenant, asked))["outbound"]["number"] == NUMBER


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("phone_number=%2B14150000009", 404, "NOT_FOUND"),
        ("phone_number=2001", 404, "NOT_FOUND"),
        ("phone_number=(415)%20555-0100", 400, "INVALID_REQUEST"),
        ("phone_number=", 400, "INVALID_REQUEST"),
        ("phone_number=%00", 400, "INVALID_REQUEST"),
        ("phone_number=" + "1" * 200, 400, "INVALID_REQUEST"),
        ("", 400, "INVALID_REQUEST"),
    ],
)
async def test_a_number_that_is_not_there_is_not_found_and_what_is_none_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, query: str, status: int, code: str
) -> None:
    answer = await client.get(f"/v1/sip?{query}", headers=tenant.viewer)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["error"] == code


async def test_the_list_is_what_the_contract_shows(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[INBOUND, OUTBOUND])
    await attached(client, tenant, "+14150000001", directions=[INBOUND])

    assert await listed(client, tenant) == {
        "numbers": [
            {
                "phone_number": NUMBER,
                "directions": ["inbound", "outbound"],
                "sip_endpoint": "sip:trunk.provider.com",
                "health_status": "unchecked",
            },
            {
                "phone_number": "+14150000001",
                "directions": ["inbound"],
                "sip_endpoint": None,
                "health_status": "unchecked",
            },
        ]
    }


async def test_pages_show_every_number_once_even_when_numbers_come_and_go(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    numbers = [f"+141500000{last:02}" for last in range(10, 35)]
    second = {"type": "outbound", "sip_endpoint": "sip:second.example.com"}
    await attached(client, tenant, *numbers, directions=[INBOUND, OUTBOUND, second])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 10}
    while True:
        page = await listed(client, tenant, **query)
        seen += [each["phone_number"] for each in page["numbers"]]
        if "next_cursor" not in page:
            break
        query["cursor"] = page["next_cursor"]
        # Before what was seen: no later page shifts by it.
        await attached(client, tenant, f"+1415000000{len(seen) // 10}", directions=[INBOUND])

    assert seen == numbers
    assert "next_cursor" not in await listed(client, tenant, limit=28)


async def test_filters_narrow_the_list(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    await attached(client, tenant, "+442079460018", directions=[INBOUND])
    trunk_id = (await configuration(client, tenant, NUMBER))["outbound"]["trunk_id"]

    for query, found in (
        ({"direction": "outbound"}, [NUMBER]),
        ({"direction": "inbound"}, ["+442079460018"]),
        ({"trunk_id": trunk_id}, [NUMBER]),
        ({"trunk_id": "trk_unknown"}, []),
        ({"search": "7946"}, ["+442079460018"]),
        ({"search": "%"}, []),
        ({"search": "415", "direction": "inbound"}, []),
    ):
        assert [
            each["phone_number"] for each in (await listed(client, tenant, **query))["numbers"]
        ] == found


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "cursor=%2B", "cursor=AA", "direction=both"]
)
async def test_a_query_that_means_nothing_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, query: str
) -> None:
    answer = await client.get(f"/v1/sip/numbers?{query}", headers=tenant.viewer)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("query", "length"),
    [
        ("", 16),
        ("strength=standard", 16),
        ("strength=long", 32),
        ("length=20", 20),
        ("length=20&strength=long", 20),
        ("length=1", 8),
        ("length=-5", 8),
        ("length=999999999999999999999", 256),
    ],
)
async def test_a_password_has_the_length_that_was_asked_for(
    client: httpx.AsyncClient, tenant: Tenant, query: str, length: int
) -> None:
    answer = await client.get(f"/v1/sip/generate-password?{query}", headers=tenant.viewer)
    made = answer.json()["data"]

    assert answer.status_code == 200
    assert set(made) == {"password", "length"}
    assert len(made["password"]) == made["length"] == length
    assert set(made["password"]) <= set(PASSWORD_ALPHABET)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            "length=many",
            {
                "error": "BAD_REQUEST",
                "message": "length must be a number between 8 and 256.",
                "field": "length",
            },
        ),
        (
            "strength=strong",
            {
                "error": "INVALID_REQUEST",
                "message": "strength: must be standard or long",
                "field": "strength",
            },
        ),
    ],
)
async def test_a_length_that_is_none_is_refused_in_the_contracts_words(
    client: httpx.AsyncClient, tenant: Tenant, query: str, error: dict[str, str]
) -> None:
    answer = await client.get(f"/v1/sip/generate-password?{query}", headers=tenant.viewer)

    assert answer.status_code == 400
    assert answer.json() == {"data": None, "errors": [error]}
