"""Keeps secrets out of log records, whoever wrote the record.

Two nets: values under a name that says "secret", and texts that look like one of our keys or like a URL
with a password. Both work on the finished record, so tracebacks and records of libraries pass them too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

__all__ = ["MASK", "redact", "redacted_text"]

MASK = "********"

_SECRET_NAME = re.compile(
    r"authorization|password|passwd|secret|credential|cookie|api_?key|\bpin\b|token", re.IGNORECASE
)
# What we hand out: a short prefix and at least 240 random bits in base64url. Ids are shorter.
_HANDED_OUT = re.compile(r"\b([a-z]{2,6}_)[A-Za-z0-9_-]{40,}")
_HANDED_OUT_LENGTH = 43
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*):[^/\s@]+@")
# Deeper values are not ours: a record is flat or one level deep.
_MAX_DEPTH = 6


def redacted_text(text: str) -> str:
    """``text`` with API keys, signing secrets and passwords inside URLs masked."""
    # Most texts of a record are words and ids, in which neither can be.
    if len(text) >= _HANDED_OUT_LENGTH:
        text = _HANDED_OUT.sub(rf"\1{MASK}", text)
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
    return text


# Names are words of the program, the same ones in every record.
@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _redacted(value: object, depth: int) -> object:
    if isinstance(value, str):
        return redacted_text(value)
    if depth >= _MAX_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        return {name: _named(name, inner, depth) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(inner, depth + 1) for inner in value]
    return value


def _named(name: object, value: object, depth: int) -> object:
    if isinstance(value, str | bytes) and isinstance(name, str) and _is_secret(name):
        return MASK
    return redacted_text(value) if isinstance(value, str) else _redacted(value, depth + 1)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor: the record without secrets."""
    return {name: _named(name, value, 0) for name, value in event.items()}
