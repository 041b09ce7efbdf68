"""What a route says about itself in OpenAPI: an example of its answer and its own refusals.

Refusals are given as the errors the route raises, so an example can never differ from the real answer.
What every route shares (401, 500, ...) is added by :mod:`api.openapi`.
"""

from __future__ import annotations

import json
from typing import Any

from api.envelope import ErrorEnvelope, error_response
from api.errors import ApiError

__all__ = ["answer", "example_of", "refusals", "with_nulls", "with_nulls_marked"]

# FastAPI drops every null of the document, those inside examples too; a text that no example holds stands
# for them until the document is made.
_NULL = "\x00null"


def answer(
    data: Any, *, status: int = 200, description: str = "Success"
) -> dict[int | str, dict[str, Any]]:
    """``responses=`` entry of a success, with ``data`` as its example."""
    example = with_nulls_marked({"data": data, "errors": None})
    content = {"application/json": {"example": example}}
    return {status: {"description": description, "content": content}}


def refusals(*errors: ApiError) -> dict[int | str, dict[str, Any]]:
    """``responses=`` entries of the route's own refusals, grouped by status."""
    entries: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = entries.setdefault(
            error.status,
            {
                "model": ErrorEnvelope,
                "description": "",
                "content": {"application/json": {"examples": {}}},
            },
        )
        examples = entry["content"]["application/json"]["examples"]
        code = error.items[0].error
        examples[code] = {
            "summary": error.items[0].message,
            "value": with_nulls_marked(example_of(error)),
        }
        entry["description"] = ", ".join(f"`{name}`" for name in examples)
    return entries


def example_of(error: ApiError) -> Any:
    """The body of the answer to ``error``."""
    return json.loads(bytes(error_response(error).body))


def with_nulls_marked(value: Any) -> Any:
    """The example in a form in which its nulls survive until :func:`with_nulls`."""
    return _replaced(value, None, _NULL)


def with_nulls(value: Any) -> Any:
    """The document with the nulls of its examples in their places."""
    return _replaced(value, _NULL, None)


def _replaced(value: Any, old: Any, new: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(inner, old, new) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, old, new) for inner in value]
    return new if value == old else value
