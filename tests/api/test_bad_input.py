"""Every field of every body under ``/v1/sip``, wrong in each way: 400 names it, nothing changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from lab.certificates import Authority
from storage import organizations
from storage.engine import Database
from tests.api.bodies import BODIES, NUMBER
from tests.api.configured import INBOUND, OUTBOUND, attached, configuration, post
from tests.api.json_schema import problems
from tests.api.tenants import Tenant
from tests.api.test_openapi import DOCUMENT, OPERATIONS
from tests.api.victims import add_port_order, add_test_call
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

Place = tuple[str | int, ...]
Route = tuple[str, str]

FEW, PARTS = 200, 3
"""Routes with more wrong values share most of their fields: each sends another one of so many parts."""

OTHER_TYPES: tuple[Any, ...] = (None, True, 7, 7.5, "\u2603", [], [7], {}, {"a": 7})
"""A value of each JSON type; those that a schema allows at a place are not sent there."""
TOO_MANY = (17, 101)
"""Entries of a list, beyond most limits."""
LONG = 70_000
"""Longer than every limit of a text, shorter than that of a body."""
BESIDE_EVERY_LIMIT: tuple[Any, ...] = (-1, 0, 10**9, 10**400, "", "a\x00b", "\ud800")

NO_OBJECTS = [
    ("application/json", b""),
    ("application/json", b"null"),
    ("application/json", b"[]"),
    ("application/json", b'"text"'),
    ("application/json", b"7"),
    ("application/json", b"{"),
    ("application/json", b'{"a":NaN}'),
    ("application/json", b"\xff"),
    ("text/plain", b"{}"),
    ("application/x-www-form-urlencoded", b"a=b"),
]

each_route = pytest.mark.parametrize("route", BODIES, ids=" ".join)


def schema_of(route: Route) -> dict[str, Any]:
    method, path = route
    media = OPERATIONS[method.lower(), path]["requestBody"]["content"]
    found: dict[str, Any] = media["application/json"]["schema"]
    return found


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where a body holds a value."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*at, name)
            yield from places(inner, (*at, name))


def at(body: Any, place: Place) -> Any:
    for part in place:
        body = body[part]
    return body


def changed(body: Any, place: Place, value: Any) -> Any:
    """The body with another value at this place."""
    copied = copy.deepcopy(body)
    at(copied, place[:-1])[place[-1]] = value
    return copied


def without(body: Any, place: Place) -> Any:
    copied = copy.deepcopy(body)
    del at(copied, place[:-1])[place[-1]]
    return copied


def wrong_values(value: Any) -> Iterator[Any]:
    yield from OTHER_TYPES
    if not isinstance(value, dict | list):
        yield from BESIDE_EVERY_LIMIT
    if isinstance(value, str):
        yield "x" * LONG
        yield [value]
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, int):
        yield str(value)
    elif isinstance(value, list):
        yield from (value * count for count in TOO_MANY)
        yield value[0]


def is_unstorable(value: Any) -> bool:
    return isinstance(value, str) and ("\x00" in value or "\ud800" in value)


def wrong_bodies(route: Route, body: Any) -> Iterator[tuple[Place, Any]]:
    """The place that is wrong, and the body: by the published schema, or because it is not kept."""
    schema = schema_of(route)
    # Written out: a copy would keep it when two places hold the same object.
    body = json.loads(json.dumps(body))
    for place in places(body):
        for value in wrong_values(at(body, place)):
            made = changed(body, place, value)
            if is_unstorable(value) or problems(DOCUMENT, schema, made):
                yield place, made
        if isinstance(place[-1], str):
            made = without(body, place)
            if problems(DOCUMENT, schema, made):
                yield place, made
    for place in [(), *places(body)]:
        if isinstance(at(body, place), dict):
            made = changed(body, (*place, "no_such_field"), 1)
            if problems(DOCUMENT, schema, made):
                yield (*place, "no_such_field"), made


def names_it(answer: httpx.Response, place: Place) -> bool:
    """Whether one entry of a refusal is about this place: it, or what it is in, or a part of it."""
    wanted = [str(part) for part in place]
    named = [str(entry.get("field", "")).split(".") for entry in answer.json()["errors"]]
    return any(each[: len(wanted)] == wanted for each in named)


@pytest.fixture
async def ids(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, certificates: dict[str, str]
) -> dict[str, str]:
    """What the bodies and paths name: a trunk, a configured number, a call, a port order, a document."""
    async with database.system() as session:
        await organizations.change(session, tenant.org_id, alert_emails=["it@acme.example"])
    trunk = await post(client, tenant, "trunks", name="Named", direction="both")
    await attached(client, tenant, NUMBER, directions=[INBOUND, OUTBOUND])
    port = await add_port_order(database, tenant.org_id)
    outbound = (await configuration(client, tenant, NUMBER))["outbound"]
    return {
        "trunk_id": trunk.json()["data"]["trunk_id"],
        "outbound_id": outbound["id"],
        **dict(zip(("id", "document_id"), port, strict=True)),
        "call_id": await add_test_call(database, tenant.org_id),
        **certificates,
    }


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An authority of this run and a client's certificate, as PEM."""
    authority = Authority.open(tmp_path_factory.mktemp("ca"))
    client = authority.client_pair()
    files = {
        "ca_pem": authority.ca_file,
        "client_certificate": client.certificate,
        "client_key": client.key,
    }
    return {name: file.read_text(encoding="ascii") for name, file in files.items()}


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, ids) for inner in value]
    if isinstance(value, str) and value[1:-1] in ids:
        return ids[value[1:-1]]
    return value


def every_row(database_urls: TestDatabase) -> str:
    """The whole database, in one text."""
    with psycopg.connect(database_urls.admin_url) as admin:
        tables = admin.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1"
        ).fetchall()
        return json.dumps(
            {
                table: sorted(
                    row for (row,) in admin.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
                )
                for (table,) in tables
            }
        )


def test_every_body_of_the_sip_routes_is_here() -> None:
    documented = {
        (method.upper(), path)
        for (method, path), operation in OPERATIONS.items()
        if path.startswith("/v1/sip") and "application/json" in str(operation.get("requestBody"))
    }
    assert set(BODIES) == documented


@each_route
def test_the_bodies_use_every_field(route: Route) -> None:
    used = {
        place[-1] for body in BODIES[route] for place in places(body) if isinstance(place[-1], str)
    }
    assert set(fields_of(schema_of(route))) <= used


def fields_of(schema: Any) -> Iterator[str]:
    """Names of the fields that a schema describes, at any depth."""
    if isinstance(schema, list):
        for each in schema:
            yield from fields_of(each)
    elif isinstance(schema, dict):
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            yield from fields_of(DOCUMENT["components"]["schemas"][name])
        for name, inner in schema.get("properties", {}).items():
            yield name
            yield from fields_of(inner)
        for keyword in ("anyOf", "oneOf", "allOf", "items", "additionalProperties"):
            yield from fields_of(schema.get(keyword))


@each_route
def test_the_bodies_are_right_by_the_published_schema(route: Route) -> None:
    for body in BODIES[route]:
        assert problems(DOCUMENT, schema_of(route), body) == []


@each_route
async def test_a_wrong_field_is_named_and_nothing_changes(
    route: Route,
    client: httpx.AsyncClient,
    tenant: Tenant,
    ids: dict[str, str],
    database_urls: TestDatabase,
) -> None:
    method, path = route
    before = every_row(database_urls)
    unseen = []
    count = 0
    for body in BODIES[route]:
        bodies = list(wrong_bodies(route, body))
        part = list(BODIES).index(route) % PARTS
        for place, wrong in bodies if len(bodies) <= FEW else bodies[part::PARTS]:
            count += 1
            answer = await client.request(
                method,
                path.format(**ids),
                content=json.dumps(filled(wrong, ids)),
                headers={**tenant.editor, "Content-Type": "application/json"},
            )
            if answer.status_code != 400 or not names_it(answer, place):
                unseen.append((place, str(at_or_none(wrong, place))[:60], answer.text[:300]))
            else:
                assert set(answer.json()) == {"data", "errors"}
                assert answer.json()["data"] is None
    assert unseen == []
    assert count >= len(OTHER_TYPES)
    assert every_row(database_urls) == before


def at_or_none(body: Any, place: Place) -> Any:
    try:
        return at(body, place)
    except (KeyError, IndexError):
        return None


@each_route
async def test_a_body_that_is_no_object_changes_nothing(
    route: Route,
    client: httpx.AsyncClient,
    tenant: Tenant,
    ids: dict[str, str],
    database_urls: TestDatabase,
) -> None:
    method, path = route
    before = every_row(database_urls)
    for kind, content in NO_OBJECTS:
        answer = await client.request(
            method,
            path.format(**ids),
            content=content,
            headers={**tenant.editor, "Content-Type": kind},
        )
        assert answer.status_code == 400, (kind, content, answer.text)
        assert answer.json()["data"] is None
        assert answer.json()["errors"][0]["error"] == "INVALID_REQUEST"
    assert every_row(database_urls) == before
