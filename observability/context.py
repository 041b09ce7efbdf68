"""Ids that every log record of one piece of work carries.

They live in one context variable, so they follow the work through awaits and into tasks, and records
of libraries get them as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

__all__ = ["add_log_ids", "current_log_ids", "current_request_id", "log_ids"]

REQUEST_ID = "request_id"

# Never changed in place: a task that begins keeps what it found.
_ids: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default=MappingProxyType({}))


@contextmanager
def log_ids(**ids: str | None) -> Iterator[None]:
    """Records inside the block carry these ids; ``None`` values are left out."""
    before = _ids.get()
    add_log_ids(**ids)
    try:
        yield
    finally:
        # Ids that were added inside must not reach the next piece of work of this task.
        _ids.set(before)


def add_log_ids(**ids: str | None) -> None:
    """Records carry these ids until the surrounding :func:`log_ids` block ends."""
    _ids.set({**_ids.get(), **{name: value for name, value in ids.items() if value is not None}})


def current_log_ids() -> Mapping[str, str]:
    """The ids that a record would carry now."""
    return _ids.get()


def current_request_id() -> str | None:
    """The id of the HTTP request that caused the current work, if one did."""
    return _ids.get().get(REQUEST_ID)
