"""Bodies of attach that are refused as a whole: 400 names the field, and nothing changes."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.engine import Database
from storage.ids import new_id
from tests.api.configured import INBOUND, OUTBOUND, post
from tests.api.tenants import Tenant

GOOD: dict[str, Any] = {
    "phone_number": "+14150000001",
    "service": "sip",
    "directions": [INBOUND, OUTBOUND],
}
REMOVE = object()


def mapping(**fields: Any) -> dict[str, Any]:
    return {"type": "custom", "key": "X-Account", "value": "account", **fields}


def headers_of(direction: str, *mappings: Any) -> dict[str, Any]:
    return {"direction": direction, "headers": list(mappings)}


# Path of what is replaced, the replacement, and the field that the answer must name.
BREACHES: list[tuple[str, Any, str]] = [
    ("phone_number", REMOVE, "phone_number"),
    ("phone_number", 14150000001, "phone_number"),
    ("phone_numbers", ["+14150000002"], "phone_number"),
    ("service", REMOVE, "service"),
    ("service", "voice", "service"),
    ("directions", REMOVE, "directions"),
    ("directions", [], "directions"),
    ("directions", {"type": "inbound"}, "directions"),
    ("directions", [OUTBOUND] * 11, "directions"),
    ("directions.0.type", REMOVE, "directions.0.type"),
    ("directions.0.type", "both", "directions.0.type"),
    ("directions.0.auth_mode", "digest", "directions.0.auth_mode"),
    ("directions.0.auth_mode", "register", "directions.0.register_auth"),
    (
        "directions.0.register_auth",
        {"username": "a", "password": "12345678"},
        "directions.0.register_auth",
    ),
    ("directions.0.surprise", 1, "directions.0.surprise"),
    ("directions.1.sip_endpoint", REMOVE, "directions.1.sip_endpoint"),
    ("directions.1.sip_endpoint", "", "directions.1.sip_endpoint"),
    ("directions.1.sip_endpoint", "not a host", "directions.1.sip_endpoint"),
    ("directions.1.sip_endpoint", "sip:example.com;transport=ws", "directions.1.sip_endpoint"),
    ("directions.1.auth_mode", "ip", "directions.1.auth_mode"),
    ("directions.1.options", [], "directions.1.options"),
    ("directions.1.options.port", 0, "directions.1.options.port"),
    ("directions.1.options.port", 65536, "directions.1.options.port"),
    ("directions.1.options.port", "5061", "directions.1.options.port"),
    ("directions.1.options.transport", "sctp", "directions.1.options.transport"),
    ("directions.1.options.secure_media", "yes", "directions.1.options.secure_media"),
    ("directions.1.options.sip_password", "only", "directions.1.options.sip_username"),
    ("directions.1.options.sip_username", "a\r\nb", "directions.1.options.sip_username"),
    ("directions.1.options.codecs", [], "directions.1.options.codecs"),
    ("directions.1.options.codecs", ["PCMU", "ulaw"], "directions.1.options.codecs"),
    ("directions.1.options.codecs", ["MP3"], "directions.1.options.codecs"),
    ("directions.1.options.minimum_digest", "SHA-1", "directions.1.options.minimum_digest"),
    ("directions.1.options.caller_id", "anybody", "directions.1.options.caller_id"),
    ("directions.1.options.number_format", "national", "directions.1.options.number_format"),
    ("directions.1.options.identity_header", "From", "directions.1.options.identity_header"),
    ("directions.1.options.from_domain", "a b", "directions.1.options.from_domain"),
    ("directions.1.options.exact_tls_names", 1, "directions.1.options.exact_tls_names"),
    ("directions.1.options.ca_pem", "hello", "directions.1.options.ca_pem"),
    ("directions.1.options.sip_realm", "", "directions.1.options.sip_realm"),
    ("directions.1.options.sip_pasword", "typo", "directions.1.options.sip_pasword"),
    ("directions.1.headers", {"X-Account": "acme"}, "directions.1.headers.direction"),
    ("directions.1.headers", headers_of("inbound"), "directions.1.headers.direction"),
    (
        "directions.1.headers",
        headers_of("outbound", *[mapping()] * 16),
        "directions.1.headers.headers",
    ),
    (
        "directions.1.headers",
        headers_of("outbound", mapping(value="Via")),
        "directions.1.headers.headers.0.value",
    ),
    (
        "directions.1.headers",
        headers_of("outbound", mapping(), mapping(key="To", passthrough=True)),
        "directions.1.headers.headers.1.key",
    ),
    (
        "directions.1.headers",
        headers_of("outbound", mapping(value="X Account")),
        "directions.1.headers.headers.0.value",
    ),
    (
        "directions.0.headers",
        headers_of("inbound", mapping(key="X:Account")),
        "directions.0.headers.headers.0.key",
    ),
    ("trunk_id", 5, "trunk_id"),
]


def broken(path: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(GOOD)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = body
    for part in way:
        place = place[part]
    if value is REMOVE:
        del place[last]
    else:
        place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "field"),
    BREACHES,
    ids=lambda each: "left out" if each is REMOVE else str(each)[:40].replace("\x00", ""),
)
async def test_a_field_that_is_wrong_is_named_and_nothing_changes(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    path: str,
    value: Any,
    field: str,
) -> None:
    answer = await post(client, tenant, "attach", **broken(path, value))

    assert answer.status_code == 400
    entries = answer.json()["errors"]
    assert {each["error"] for each in entries} == {"INVALID_REQUEST"}
    # Where a union was tried the kind stands in the path.
    named = [each.get("field", "").replace(".custom", "") for each in entries]
    assert field in named
    async with database.tenant(tenant.org_id) as session:
        for table in ("trunks", "number_bindings", "audit_log", "outbox"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


async def test_a_hundred_numbers_are_the_most(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await post(
        client,
        tenant,
        "attach",
        phone_numbers=[f"+1415000{last:04}" for last in range(101)],
        service="sip",
        directions=[OUTBOUND],
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "phone_numbers"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("directions.0.register_auth.password", "1234567"),
        ("directions.0.register_auth.password", "canary\nsecret"),
        ("directions.1.options.sip_password", "canary\x7fsecret"),
        ("directions.1.options.sip_password", "canary" * 50),
        ("directions.1.options.sip_password", ["canary"]),
    ],
)
async def test_a_refusal_never_repeats_a_password(
    client: httpx.AsyncClient, tenant: Tenant, path: str, value: Any
) -> None:
    body = broken("directions.0.auth_mode", "register")
    body["directions"][0]["register_auth"] = {"username": "acme", "password": "canary-good"}
    body["directions"][1]["options"] |= {"sip_username": "acme"}
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = body
    for part in way:
        place = place[part]
    place[last] = value

    answer = await post(client, tenant, "attach", **body)

    assert answer.status_code == 400
    assert path in {each["field"] for each in answer.json()["errors"]}
    assert "canary" not in answer.text
    assert "1234567" not in answer.text


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "inbound", "auth_mode": "register"},
        {"type": "outbound", "sip_endpoint": "sip.example.com"},
    ],
)
async def test_the_mark_that_stands_for_a_password_is_none(
    client: httpx.AsyncClient, tenant: Tenant, auth: dict[str, Any]
) -> None:
    if auth["type"] == "inbound":
        auth = {**auth, "register_auth": {"username": "acme", "password": "********"}}
    else:
        auth = {**auth, "options": {"sip_username": "acme", "sip_password": "********"}}

    answer = await post(client, tenant, "attach", **{**GOOD, "directions": [auth]})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].endswith("password")


@pytest.mark.parametrize(
    "trunk_id", ["trk_unknown", new_id("trk"), ""], ids=["no id", "unknown", "empty"]
)
async def test_a_trunk_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str
) -> None:
    answer = await post(
        client, tenant, "attach", **{**GOOD, "directions": [INBOUND], "trunk_id": trunk_id}
    )

    assert answer.status_code == 404
    assert answer.json()["errors"][0] == {
        "error": "NOT_FOUND",
        "message": "no such trunk",
        "field": "trunk_id",
    }


async def test_a_viewer_configures_nothing(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await client.post("/v1/sip/attach", json=GOOD, headers=tenant.viewer)

    assert answer.status_code == 403
