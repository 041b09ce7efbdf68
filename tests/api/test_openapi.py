"""The OpenAPI document is complete, and its examples are what its schemas say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from settings import Settings
from storage.secret_box import generate_key
from tests.api.json_schema import problems
from tests.api.test_tenancy import routes

MUTATIONS = {"post", "put", "patch", "delete"}


def document() -> dict[str, Any]:
    settings = Settings(secret_keys=SecretStr(generate_key("docs")))
    return create_app(settings).openapi()


DOCUMENT = document()
OPERATIONS = {
    (method, path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
V1 = {place: each for place, each in OPERATIONS.items() if place[1].startswith("/v1")}

each_operation = pytest.mark.parametrize("place", OPERATIONS, ids=" ".join)
each_v1_operation = pytest.mark.parametrize("place", V1, ids=" ".join)


def examples_of(media: dict[str, Any]) -> Iterator[Any]:
    if "example" in media:
        yield media["example"]
    for named in media.get("examples", {}).values():
        yield named["value"]


def media_of(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a response may be, by content type; nothing for 204."""
    found: dict[str, dict[str, Any]] = response.get("content", {})
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def test_every_route_is_documented() -> None:
    assert {(method.upper(), path) for method, path in V1} == set(routes())


def test_operations_have_distinct_ids_and_known_tags() -> None:
    ids = [each["operationId"] for each in OPERATIONS.values()]
    tags = {tag["name"] for tag in DOCUMENT["tags"]}

    assert len(set(ids)) == len(ids)
    assert all(set(each["tags"]) <= tags for each in OPERATIONS.values())
    assert tags == {tag for each in OPERATIONS.values() for tag in each["tags"]}


@each_operation
def test_an_operation_says_what_it_does(place: tuple[str, str]) -> None:
    operation = OPERATIONS[place]

    assert operation["summary"]
    assert operation["description"]
    assert not operation["summary"].endswith(".")


@each_operation
def test_every_answer_has_a_schema_a_description_and_an_example(place: tuple[str, str]) -> None:
    for status, response in OPERATIONS[place]["responses"].items():
        assert response["description"], status
        assert "X-Request-Id" in response["headers"]
        assert media_of(response) or status in {"204", "304"}
        for media in media_of(response).values():
            assert media["schema"], status
            assert list(examples_of(media)) or media["schema"].get("format") == "binary", status


@each_operation
def test_every_example_is_what_its_schema_says(place: tuple[str, str]) -> None:
    operation = OPERATIONS[place]
    for response in operation["responses"].values():
        for media in media_of(response).values():
            for example in examples_of(media):
                assert problems(DOCUMENT, media["schema"], example) == []
    # A form has no example: its file is any file.
    body = operation.get("requestBody", {}).get("content", {})
    assert body.keys() <= {"application/json", "multipart/form-data"}
    if "application/json" in body:
        schema = body["application/json"]["schema"]
        described = resolved(schema)
        examples = [
            *described.get("examples", ()),
            *([described["example"]] if "example" in described else []),
        ]
        assert examples
        for example in examples:
            assert problems(DOCUMENT, schema, example) == []


@each_v1_operation
def test_answers_of_v1_are_enveloped(place: tuple[str, str]) -> None:
    for status, response in V1[place]["responses"].items():
        for kind, media in media_of(response).items():
            if kind == "application/json":
                check_envelopes(media, int(status))
            else:
                # A document, a stream, or nothing: never instead of a refusal.
                assert int(status) < 400


def check_envelopes(media: dict[str, Any], status: int) -> None:
    for example in examples_of(media):
        assert set(example) == {"data", "errors"}
        assert (example["errors"] is None) == (status < 400)
        assert (example["data"] is None) == (status >= 400)


@each_v1_operation
def test_shared_refusals_are_documented(place: tuple[str, str]) -> None:
    method, path = place
    operation = V1[place]
    responses = operation["responses"]

    assert {"401", "403", "500", "503"} <= set(responses)
    assert "422" not in responses
    assert ("413" in responses) == ("requestBody" in operation)
    if "{" in path:
        assert "404" in responses
    forbidden = responses["403"]["content"]["application/json"]["examples"]
    assert ("SIP_NOT_ENABLED" in forbidden) == f"{path}/".startswith("/v1/sip/")
    names = {each["name"] for each in operation.get("parameters", ())}
    assert ("Idempotency-Key" in names) == (method in MUTATIONS)
    if method in MUTATIONS:
        conflict = responses["409"]["content"]["application/json"]["examples"]
        assert {"IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_IN_PROGRESS"} <= set(conflict)


@each_v1_operation
def test_parameters_are_described(place: tuple[str, str]) -> None:
    for parameter in V1[place].get("parameters", ()):
        assert parameter["description"], parameter["name"]


@each_v1_operation
def test_the_key_is_documented(place: tuple[str, str]) -> None:
    assert V1[place]["security"] == [{"ApiKey": []}]
    assert DOCUMENT["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"


def test_operations_need_no_key() -> None:
    open_paths = {path for (_, path), each in OPERATIONS.items() if "security" not in each}

    assert open_paths == {"/healthz", "/readyz", "/metrics"}


def test_every_reference_leads_somewhere() -> None:
    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from walk(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from walk(inner)

    references = set(walk(DOCUMENT))
    assert references
    for reference in references:
        # Raises when it leads nowhere; the schema of any JSON at all is an empty one.
        assert resolved({"$ref": reference}) is not None
    assert not {"HTTPValidationError", "ValidationError"} & set(DOCUMENT["components"]["schemas"])


async def test_the_document_is_served_and_no_page_that_needs_a_cdn(
    client: httpx.AsyncClient, app: FastAPI
) -> None:
    served = await client.get("/openapi.json")

    assert served.json() == app.openapi()
    assert served.json()["openapi"].startswith("3.1")
    for path in ("/docs", "/redoc"):
        assert (await client.get(path)).status_code == 404
