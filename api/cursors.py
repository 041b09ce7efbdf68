"""Cursors of lists: the place behind which a page begins, in a form that nobody should read."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

from api.errors import InvalidRequest

__all__ = ["cursor_of", "moment_behind", "not_a_cursor", "place_of", "text_of"]


def cursor_of(text: str) -> str:
    """The cursor that stands for this place (ASCII)."""
    return base64.urlsafe_b64encode(text.encode()).decode()


def text_of(cursor: str) -> str:
    """The place that a cursor stands for. Raises ``ValueError`` for what is none."""
    return base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")


def not_a_cursor() -> InvalidRequest:
    """The refusal of a cursor that is not of the list."""
    return InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")


def moment_behind(moment: datetime, row_id: str) -> str:
    """The cursor behind a row of a list by time; it stays good when the row goes."""
    return cursor_of(f"{moment.isoformat()} {row_id}")


def place_of(cursor: str, is_id: Callable[[str], bool]) -> tuple[datetime, str]:
    """The moment and the id in a cursor of ``moment_behind``. Raises ``InvalidRequest``."""
    try:
        text, _, row_id = text_of(cursor).partition(" ")
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or not is_id(row_id):
            raise ValueError("no place of ours")
        return moment.astimezone(UTC), row_id
    except (ValueError, OverflowError) as error:
        raise not_a_cursor() from error
