"""Ids that every log record of one piece of work carries.

They live in context variables, so they follow the work through awaits and into tasks, and records of
libraries get them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, get_contextvars, unbind_contextvars

__all__ = ["add_log_ids", "current_request_id", "log_ids"]

REQUEST_ID = "request_id"


@contextmanager
def log_ids(**ids: str | None) -> Iterator[None]:
    """Records inside the block carry these ids; ``None`` values are left out."""
    before = get_contextvars()
    add_log_ids(**ids)
    try:
        yield
    finally:
        # Ids that were added inside must not reach the next piece of work of this task.
        unbind_contextvars(*(get_contextvars().keys() - before.keys()))
        bind_contextvars(**before)


def add_log_ids(**ids: str | None) -> None:
    """Records carry these ids until the surrounding :func:`log_ids` block ends."""
    bind_contextvars(**{name: value for name, value in ids.items() if value is not None})


def current_request_id() -> str | None:
    """The id of the HTTP request that caused the current work, if one did."""
    value = get_contextvars().get(REQUEST_ID)
    return value if isinstance(value, str) else None
