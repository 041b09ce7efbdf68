"""What a request may carry, and how a breach is told: one entry per field, status 400."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api.errors import ApiError, ErrorItem, InvalidRequest, NotFound

__all__ = ["RequestModel", "absent", "refusal_of", "storable", "unstorable_place"]

# Nothing in the contract nests deeper than 6; the rest is an attack on a recursive reader.
MAX_DEPTH = 32
MAX_TEXT = 4096
# More entries help nobody and let a small request ask for a large answer.
MAX_ENTRIES = 50
MAX_FIELD = 200
_TAGS = frozenset({"union_tag_invalid", "union_tag_not_found"})


def storable(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold ``text``: no NUL and no unpaired surrogate."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def unstorable_place(value: object) -> str | None:
    """Where ``value`` (parsed JSON) holds text that cannot be stored or nests too deeply, as a path."""
    waiting: list[tuple[str, object, int]] = [("", value, 0)]
    while waiting:
        place, item, depth = waiting.pop()
        if isinstance(item, str):
            if not storable(item):
                return place
        elif isinstance(item, Mapping | list):
            if depth >= MAX_DEPTH:
                return place
            pairs = item.items() if isinstance(item, Mapping) else enumerate(item)
            for name, inner in pairs:
                if isinstance(name, str) and not storable(name):
                    return place
                waiting.append((f"{place}.{name}" if place else str(name), inner, depth + 1))
    return None


class RequestModel(BaseModel):
    """Base of every request body: unknown fields are refused, and so is text that cannot be stored."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        str_max_length=MAX_TEXT,
    )

    @model_validator(mode="before")
    @classmethod
    def _only_storable_text(cls, value: Any) -> Any:
        place = unstorable_place(value)
        if place is not None:
            raise PydanticCustomError(
                "unstorable",
                "must not hold NUL characters or unpaired surrogates, nor nest deeply",
                {"place": place},
            )
        return value


def absent() -> Any:
    """Default of a field that a change may leave out and may not set to ``null``.

    Read ``model_fields_set`` to learn which fields came.
    """
    return Field(default=None, json_schema_extra=_without_default)


def _without_default(schema: JsonDict) -> None:
    schema.pop("default", None)


def refusal_of(errors: Sequence[Mapping[str, Any]], body: object = None) -> ApiError:
    """The refusal for FastAPI's validation errors; ``body`` is the parsed JSON they are about.

    A path parameter that does not even look like an id names nothing that exists: 404. Everything else is
    400 with one entry per field.
    """
    if any(_location(error)[:1] == ("path",) for error in errors):
        return NotFound()
    items: list[ErrorItem] = []
    for error in errors[:MAX_ENTRIES]:
        item = _item(error, body)
        # Several members of a union can say the same of a field.
        if item not in items:
            items.append(item)
    return InvalidRequest.of(items)


def _location(error: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(error.get("loc", ()))


def _item(error: Mapping[str, Any], body: object) -> ErrorItem:
    source, *path = _location(error) or ("body",)
    context: Mapping[str, Any] = error.get("ctx") or {}
    kind = error.get("type")
    if kind == "json_invalid":
        reason = f"the body is not valid JSON: {context.get('error')} at character {path[0]}"
        return ErrorItem("INVALID_REQUEST", _clean(reason))
    if kind == "missing" and not path:
        return ErrorItem("INVALID_REQUEST", "a JSON body is required")
    if not path and source == "body" and kind in {"model_attributes_type", "dict_type"}:
        return ErrorItem("INVALID_REQUEST", "the body must be a JSON object")
    if source == "body":
        path = _in_body(path, body, ends_missing=kind == "missing")
    if kind in _TAGS:
        path = [*path, str(context["discriminator"]).strip("'")]
    if context.get("place"):
        path = [*path, context["place"]]
    field = _clean(".".join(str(part) for part in path))[:MAX_FIELD] or None
    return ErrorItem("INVALID_REQUEST", _message(kind, field, error), field)


def _in_body(path: Sequence[object], body: Any, *, ends_missing: bool) -> list[object]:
    """The parts of a location that the sender knows: between them stand names of a union's members,
    which the body does not hold."""
    known: list[object] = []
    for index, part in enumerate(path):
        if _holds(body, part):
            body = body[part]
            known.append(part)
        elif ends_missing and index == len(path) - 1:
            known.append(part)
    return known


def _holds(body: Any, part: object) -> bool:
    if isinstance(body, list):
        return isinstance(part, int) and part < len(body)
    return isinstance(body, Mapping) and part in body


def _message(kind: object, field: str | None, error: Mapping[str, Any]) -> str:
    if kind in {"missing", "union_tag_not_found"}:
        return f"{field} is required"
    if kind == "union_tag_invalid":
        return f"{field}: must be one of {error['ctx']['expected_tags']}"
    if kind == "extra_forbidden":
        return f"{field} is not a field of this request"
    text = _clean(str(error.get("msg", "is not valid"))).removeprefix("Value error, ")
    return f"{field}: {text}" if field else text


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
