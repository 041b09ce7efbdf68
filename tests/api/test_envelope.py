"""Whatever is sent, the answer is the envelope with a status that says whose mistake it was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.body_limit import MAX_BODY_BYTES
from tests.api.tenants import Tenant

JSON = {"Content-Type": "application/json"}
PARSE = "/v1/sip/parse-destination"


def only_error(answer: httpx.Response) -> dict[str, str]:
    body = answer.json()
    assert body["data"] is None
    (error,) = body["errors"]
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1", "/v1/sip/providers/", "/docs", "/%00"])
async def test_an_unknown_path_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert only_error(answer)["error"] == "NOT_FOUND"


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.put(PARSE)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert only_error(answer)["error"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "a JSON body is required"),
        (b"{", "not valid JSON"),
        (b"{'input': 1}", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (b'{"input": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"{}", "input is required"),
        (b'{"input": null}', "valid string"),
        (b'{"input": {"a": 1}}', "valid string"),
        (b'{"input": "a\\u0000b"}', "NUL"),
        (b'{"input": "\\ud800"}', "surrogates"),
        (b'{"input": "x", "\\ud800": 1}', "surrogates"),
        (b'{"input": "x", "a\\u0000": 1}', "NUL"),
        (b'{"input": "x", "deep": ' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}", "nest"),
        (b'{"input": "x", "wide": NaN}', "not a field"),
        (b'{"input": "' + b"x" * 2049 + b'"}', "2048"),
    ],
)
async def test_a_broken_body_is_the_clients_mistake(
    client: httpx.AsyncClient, tenant: Tenant, body: bytes, words: str
) -> None:
    answer = await client.post(PARSE, content=body, headers=tenant.viewer | JSON)

    assert answer.status_code == 400
    error = only_error(answer)
    assert error["error"] == "INVALID_REQUEST"
    assert words in error["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
async def test_a_body_of_another_type_is_refused_by_name(
    client: httpx.AsyncClient, tenant: Tenant, kind: str
) -> None:
    answer = await client.post(
        PARSE, content=b'{"input": "x"}', headers=tenant.viewer | {"Content-Type": kind}
    )

    assert answer.status_code == 400
    assert "application/json" in only_error(answer)["message"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.api+json"])
async def test_json_under_its_other_names_is_read(
    client: httpx.AsyncClient, tenant: Tenant, kind: str
) -> None:
    answer = await client.post(
        PARSE,
        content=b'{"input": "sip.example.com"}',
        headers=tenant.viewer | {"Content-Type": kind},
    )

    assert answer.status_code == 200


async def test_an_announced_giant_is_refused_before_it_is_read(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await client.post(
        PARSE, content=b" " * (MAX_BODY_BYTES + 1), headers=tenant.viewer | JSON
    )

    assert answer.status_code == 413
    assert only_error(answer)["error"] == "INVALID_REQUEST"
    assert answer.headers["Connection"] == "close"


async def test_an_unannounced_giant_is_refused_while_it_arrives(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 65536

    for headers in (tenant.viewer, tenant.viewer | {"Idempotency-Key": "giant"}):
        answer = await client.post(PARSE, content=endless(), headers=headers | JSON)

        assert answer.status_code == 413
        assert str(MAX_BODY_BYTES) in only_error(answer)["message"]


async def test_a_body_of_just_the_limit_is_read(client: httpx.AsyncClient, tenant: Tenant) -> None:
    body = b'{"input": "sip.example.com"}'
    answer = await client.post(
        PARSE, content=body.ljust(MAX_BODY_BYTES), headers=tenant.viewer | JSON
    )

    assert answer.status_code == 200


async def test_a_thousand_wrong_fields_get_a_bounded_answer(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    body = {"input": "x"} | {f"field{n}" + "x" * 1000: n for n in range(500)}
    answer = await client.post(PARSE, json=body, headers=tenant.viewer)

    errors = answer.json()["errors"]
    assert len(errors) == 50
    assert all(len(each["field"]) <= 200 for each in errors)
    assert len(answer.content) < 100_000


async def test_the_input_is_not_echoed(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await client.post(PARSE, json={"input": ["secret-value"]}, headers=tenant.viewer)

    assert answer.status_code == 400
    assert "secret-value" not in answer.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.dictionaries(st.sampled_from(["input", "x"]) | st.text(), json_values, max_size=4))
async def test_no_json_makes_the_api_fail(
    client: httpx.AsyncClient, tenant: Tenant, body: dict[str, object]
) -> None:
    content = json.dumps(body).encode()
    answer = await client.post(PARSE, content=content, headers=tenant.viewer | JSON)

    assert answer.status_code in {200, 400}
    assert (answer.json()["data"] is None) == (answer.status_code == 400)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=st.binary(max_size=30))
async def test_no_query_makes_the_api_fail(
    client: httpx.AsyncClient, tenant: Tenant, query: bytes
) -> None:
    escaped = "".join(f"%{octet:02x}" for octet in query)
    answer = await client.get(
        f"/v1/organizations?cursor={escaped}&{escaped}=1&limit={escaped}", headers=tenant.operator
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["error"] == "INVALID_REQUEST"


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(part=st.binary(min_size=1, max_size=30))
async def test_no_path_makes_the_api_fail(
    client: httpx.AsyncClient, tenant: Tenant, part: bytes
) -> None:
    escaped = "".join(f"%{octet:02x}" for octet in part)
    answer = await client.get(f"/v1/organizations/{escaped}", headers=tenant.operator)

    assert answer.status_code == 404
    assert only_error(answer)["error"] == "NOT_FOUND"
