"""A validator for the part of JSON Schema that our OpenAPI document uses; an unknown keyword is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

__all__ = ["problems"]

_ANNOTATIONS = {
    *("title", "description", "examples", "example", "default", "deprecated"),
    *("discriminator", "writeOnly"),
}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def problems(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with ``value``; ``document`` holds the schemas that ``$ref`` names."""
    return list(_check(document, schema, value, "$"))


def _check(document: dict[str, Any], schema: Any, value: Any, at: str) -> Iterator[str]:
    if schema is True:
        return
    if schema is False:
        yield f"{at}: nothing is allowed here"
        return
    for keyword, wanted in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        check = _KEYWORDS.get(keyword)
        if check is None:
            raise NotImplementedError(f"{at}: {keyword}")
        yield from check(document, schema, wanted, value, at)


def _ref(document: Any, _schema: Any, wanted: str, value: Any, at: str) -> Iterator[str]:
    target = document
    for part in wanted.removeprefix("#/").split("/"):
        target = target[part]
    yield from _check(document, target, value, at)


def _type(_document: Any, _schema: Any, wanted: str, value: Any, at: str) -> Iterator[str]:
    is_boolean_as_number = isinstance(value, bool) and wanted != "boolean"
    if is_boolean_as_number or not isinstance(value, _TYPES[wanted]):
        yield f"{at}: {value!r} is no {wanted}"


def _any_of(document: Any, _schema: Any, wanted: list[Any], value: Any, at: str) -> Iterator[str]:
    if all(list(_check(document, each, value, at)) for each in wanted):
        yield f"{at}: {value!r} fits none of the alternatives"


def _one_of(document: Any, _schema: Any, wanted: list[Any], value: Any, at: str) -> Iterator[str]:
    if sum(not list(_check(document, each, value, at)) for each in wanted) != 1:
        yield f"{at}: {value!r} fits none of the alternatives, or several"


def _all_of(document: Any, _schema: Any, wanted: list[Any], value: Any, at: str) -> Iterator[str]:
    for each in wanted:
        yield from _check(document, each, value, at)


def _enum(_document: Any, _schema: Any, wanted: list[Any], value: Any, at: str) -> Iterator[str]:
    if value not in wanted:
        yield f"{at}: {value!r} is not one of {wanted}"


def _const(_document: Any, _schema: Any, wanted: Any, value: Any, at: str) -> Iterator[str]:
    if value != wanted:
        yield f"{at}: {value!r} is not {wanted!r}"


def _properties(document: Any, schema: Any, wanted: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in wanted.items():
            if name in value:
                yield from _check(document, inner, value[name], f"{at}.{name}")


def _names(document: Any, _schema: Any, wanted: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value:
            yield from _check(document, wanted, name, f"{at} {name}")


def _additional(document: Any, schema: Any, wanted: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            yield from _check(document, wanted, value[name], f"{at}.{name}")


def _required(
    _document: Any, _schema: Any, wanted: list[str], value: Any, at: str
) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at}.{name}: is missing" for name in wanted if name not in value)


def _items(document: Any, _schema: Any, wanted: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _check(document, wanted, each, f"{at}[{index}]")


def _prefix_items(document: Any, _schema: Any, wanted: Any, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, (inner, each) in enumerate(zip(wanted, value, strict=False)):
            yield from _check(document, inner, each, f"{at}[{index}]")


def _length(_document: Any, schema: Any, _wanted: Any, value: Any, at: str) -> Iterator[str]:
    what = "Length"
    if isinstance(value, list | dict):
        what = "Items" if isinstance(value, list) else "Properties"
    low, high = f"min{what}", f"max{what}"
    if isinstance(value, list | str | dict):
        size = len(value)
        if not schema.get(low, 0) <= size <= schema.get(high, size):
            yield f"{at}: has the length {size}"


def _range(_document: Any, schema: Any, _wanted: Any, value: Any, at: str) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(value, int | float):
        floor = schema.get("exclusiveMinimum")
        is_low = (low is not None and value < low) or (floor is not None and value <= floor)
        if is_low or (high is not None and value > high):
            yield f"{at}: {value} is out of range"


def _pattern(_document: Any, _schema: Any, wanted: str, value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str) and re.search(wanted, value) is None:
        yield f"{at}: {value!r} does not match {wanted}"


def _format(_document: Any, _schema: Any, wanted: str, value: Any, at: str) -> Iterator[str]:
    if wanted == "password":
        return
    if wanted not in ("date", "date-time"):
        raise NotImplementedError(f"{at}: format {wanted}")
    if not isinstance(value, str):
        return
    try:
        if wanted == "date":
            date.fromisoformat(value)
        elif datetime.fromisoformat(value).tzinfo is None:
            yield f"{at}: {value!r} has no time zone"
    except ValueError:
        yield f"{at}: {value!r} is no {wanted}"


_KEYWORDS: dict[str, Callable[[Any, Any, Any, Any, str], Iterator[str]]] = {
    "$ref": _ref,
    "type": _type,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
    "enum": _enum,
    "const": _const,
    "properties": _properties,
    "propertyNames": _names,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "prefixItems": _prefix_items,
    "minItems": _length,
    "maxItems": _length,
    "minLength": _length,
    "maxLength": _length,
    "maxProperties": _length,
    "minimum": _range,
    "maximum": _range,
    "exclusiveMinimum": _range,
    "pattern": _pattern,
    "format": _format,
}
