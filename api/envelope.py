"""The envelope of every ``/v1`` answer: ``{"data": ..., "errors": ...}`` (contract section 0)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from api.errors import ApiError

__all__ = ["Envelope", "EnvelopeJson", "ErrorEntry", "ErrorEnvelope", "enveloped", "error_response"]

Data = TypeVar("Data")


class Envelope(BaseModel, Generic[Data]):
    """A successful answer; ``errors`` is always ``null``."""

    data: Data
    errors: None = None


class ErrorEntry(BaseModel):
    """One reason why the request was refused. Some codes carry facts beside these fields."""

    model_config = ConfigDict(extra="allow")

    error: Annotated[str, Field(description="Stable code in capitals.")]
    message: Annotated[str, Field(description="The reason, for a person.")]
    field: Annotated[
        str | None, Field(description="What to correct, as a path such as `emails.0`.")
    ] = None


class ErrorEnvelope(BaseModel):
    """A refusal; ``data`` is always ``null``."""

    data: None = None
    errors: list[ErrorEntry]


class EnvelopeJson(JSONResponse):
    """JSON that can always be encoded: a lone surrogate echoed from a request must not be a 500."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def enveloped(data: Any) -> Response:
    """A successful answer made of our own rows; the route's response model documents it.

    It is written as it is: to validate a page of rows once more would cost more than to read it.
    """
    return Response(to_json({"data": data, "errors": None}), media_type="application/json")


def error_response(error: ApiError, headers: Mapping[str, str] | None = None) -> EnvelopeJson:
    """The answer that ``error`` stands for."""
    return EnvelopeJson(
        {"data": None, "errors": [item.as_json() for item in error.items]},
        status_code=error.status,
        headers={**error.headers, **(headers or {})},
    )
