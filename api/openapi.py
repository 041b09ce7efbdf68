"""The OpenAPI document: what FastAPI derives from the routes, and what all routes share."""

from __future__ import annotations

from typing import Any

from api.body_limit import limit_of, too_large
from api.documentation import refusals, with_nulls
from api.envelope import ErrorEntry, ErrorEnvelope
from api.errors import (
    ApiError,
    AuthFailure,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InternalError,
    InvalidRequest,
    NotFound,
    SipNotEnabled,
    Unavailable,
)
from api.request_context import REQUEST_ID_HEADER

__all__ = ["DESCRIPTION", "MUTATIONS", "TAGS", "complete"]

MUTATIONS = frozenset({"post", "put", "patch", "delete"})
_METHODS = MUTATIONS | {"get"}
_ERROR_SCHEMA = {"$ref": "#/components/schemas/ErrorEnvelope"}

DESCRIPTION = """\
Every answer under `/v1` is `{"data": ..., "errors": ...}`; one of the two is `null`.

Send the API key as `Authorization: Bearer <key>`, or bare. Roles are `viewer`, `editor` and `operator`,
each including the one before it. Every answer has an `X-Request-Id`; a sane one of yours is kept.

A mutation may carry an `Idempotency-Key`: for 24 hours the same request with the same key gets the stored
answer (with `Idempotent-Replayed: true`) instead of happening twice.
"""

TAGS: list[dict[str, str]] = [
    {"name": "Destinations", "description": "Read what a customer pastes; the provider catalogue."},
    {"name": "Discovery", "description": "Find the settings of a SIP endpoint."},
    {"name": "Numbers", "description": "Attach numbers to the trunks that carry their calls."},
    {"name": "Trunks", "description": "Connections to carriers and PBXs, shared by numbers."},
    {"name": "Health", "description": "Whether trunks can be reached, and what was seen of them."},
    {"name": "Routing", "description": "Where a trunk's calls go: failover, failback, drills."},
    {"name": "State", "description": "Everything that is configured, as one document."},
    {"name": "Network", "description": "Our addresses for your firewall, our server for your PBX."},
    {
        "name": "Test calls",
        "description": "Prove with a real call that a trunk works, or learn why not.",
    },
    {"name": "Calls", "description": "The log of real traffic and test calls, and their traces."},
    {"name": "Alerts", "description": "What was raised, who was told, and whether alerts arrive."},
    {"name": "Porting", "description": "Bring numbers from another carrier, step by step."},
    {"name": "Audit", "description": "Who changed what, and when."},
    {"name": "Organizations", "description": "Tenants, their entitlements and alert recipients."},
    {"name": "API keys", "description": "Who may do what for which organization."},
    {"name": "Operations", "description": "Health and metrics of the process."},
]

_IDEMPOTENCY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repetition safe: 1 to 255 printable ASCII characters, unique per request.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "b6f0c1f2-attach-4155550100",
}

_REQUEST_ID: dict[str, Any] = {
    "description": "Id of this request; quote it when you report a problem.",
    "schema": {"type": "string"},
    "example": "req_4f1c2a90b7d35e6812ac04de",
}

_RETRY_AFTER: dict[str, Any] = {
    "description": "Seconds after which the same request may be sent again.",
    "schema": {"type": "integer", "minimum": 1},
    "example": 5,
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add to every ``/v1`` operation the refusals, parameters and headers that all of them share."""
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            if method not in _METHODS:
                continue
            if path.startswith("/v1/"):
                _share(path, method, operation)
            for status, response in operation["responses"].items():
                if path.startswith("/v1/") and int(status) >= 400:
                    _only_json(response)
                headers = response.setdefault("headers", {})
                headers[REQUEST_ID_HEADER] = _REQUEST_ID
                if status in {"429", "503"} and path.startswith("/v1/"):
                    headers["Retry-After"] = _RETRY_AFTER
    # FastAPI's own 422 never happens here.
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (ErrorEnvelope, ErrorEntry):
        shared = model.model_json_schema(ref_template="#/components/schemas/{model}")
        shared.pop("$defs", None)
        schemas.setdefault(model.__name__, shared)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    completed: dict[str, Any] = with_nulls(document)
    return completed


def _only_json(response: dict[str, Any]) -> None:
    """A refusal is JSON also where FastAPI gives its schema to what the route answers else."""
    media = response["content"]["application/json"]
    response["content"] = {"application/json": {**media, "schema": _ERROR_SCHEMA}}


def _share(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    if method in MUTATIONS:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_PARAMETER)
    for status, shared in refusals(*_shared_refusals(path, method, operation)).items():
        own = responses.setdefault(str(status), {"content": {"application/json": {}}})
        media = own["content"]["application/json"]
        media["schema"] = _ERROR_SCHEMA
        examples = media.setdefault("examples", {})
        for code, example in shared["content"]["application/json"]["examples"].items():
            examples.setdefault(code, example)
        own["description"] = ", ".join(f"`{code}`" for code in sorted(examples))
    operation["responses"] = dict(sorted(responses.items()))


def _shared_refusals(path: str, method: str, operation: dict[str, Any]) -> list[ApiError]:
    shared: list[ApiError] = [
        AuthFailure(),
        Forbidden(),
        InternalError(_REQUEST_ID["example"]),
        Unavailable(),
    ]
    if f"{path}/".startswith("/v1/sip/"):
        shared.append(SipNotEnabled())
    if operation.get("parameters") or "requestBody" in operation:
        shared.append(InvalidRequest("name is required", field="name"))
    if "requestBody" in operation:
        shared.append(too_large(method.upper(), path, limit_of(method.upper(), path)))
    if "{" in path:
        shared.append(NotFound())
    if method in MUTATIONS:
        shared += [IdempotencyKeyReused(), IdempotencyInProgress()]
    return shared
