"""Column types that keep what Python means and what PostgreSQL can hold in step."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Json", "Moment", "StorableText", "Word", "json_text", "row_of", "storable"]

WordT = TypeVar("WordT", bound=StrEnum)

# As JSON escapes them: NUL, and halves of a character beyond the BMP, which may lack the other one.
_SUSPECT = re.compile(r"\\u(?:0000|d[89a-f])")


def storable(value: Any) -> Any:
    """``value`` with every character that PostgreSQL cannot store replaced by U+FFFD.

    A peer may put NUL or bytes that are not UTF-8 (lone surrogates after decoding) into a reason
    phrase or a User-Agent; ``text`` and ``jsonb`` refuse both, and one such peer must not fail the
    write of a whole batch. Mappings and sequences are walked and come back as what JSON knows,
    other values come back as they are.
    """
    if isinstance(value, str):
        if value.isascii():
            return value.replace("\x00", "\ufffd")
        return "".join(
            "\ufffd" if char == "\x00" or "\ud800" <= char <= "\udfff" else char for char in value
        )
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [storable(item) for item in value]
    return value


def _is_clean_json(value: Any) -> bool:
    """Whether ``storable`` would only copy this; may say no to what it leaves alone."""
    try:
        # A hundred entries are written sooner than walked.
        return _SUSPECT.search(json.dumps(value)) is None
    except TypeError:
        return False


def json_text(value: Any) -> str:
    """``value`` as JSON that PostgreSQL can store; times become ISO 8601, what else JSON has not its
    ``str``."""
    text = json.dumps(value, default=_as_text)
    if _SUSPECT.search(text) is not None:
        text = json.dumps(storable(json.loads(text)))
    return text


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def row_of(record: DataclassInstance) -> dict[str, Any]:
    """Column values from a record whose fields are named as the columns; nothing is copied."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


class StorableText(TypeDecorator[str]):
    """``text`` for words that come from outside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        cleaned: str | None = storable(value)
        return cleaned


class Json(TypeDecorator[Any]):
    """``jsonb``; ``None`` is SQL NULL, never the JSON value ``null``."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if _is_clean_json(value) else storable(value)


class Moment(TypeDecorator[datetime]):
    """``timestamptz``; only aware datetimes go in, and they come back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.utcoffset() is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Word(TypeDecorator[WordT]):
    """``text`` that holds one member of a ``StrEnum``; a CHECK in the table closes the set."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[WordT]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: WordT | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WordT | None:
        return None if value is None else self.words(value)
