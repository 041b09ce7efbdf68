"""Numbers found by a part of them, through the index of their trigrams where there is one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, column, select, table

from domain.trunk import Direction
from storage.columns import Word

__all__ = ["matching"]

_SEARCH = table(
    "number_search",
    column("phone_number", Text),
    column("direction", Word(Direction)),
    column("trunk_id", Text),
)
"""The view that shows what is bound in the organization of the session, and nothing in a session
of ``Database.system()``."""


def matching(
    part: str,
    *,
    direction: Direction | None,
    trunk_id: str | None,
    limit: int,
    after: str,
) -> Select[Any]:
    """At most ``limit`` numbers that hold ``part`` literally, each once, in the order of their text,
    from after ``after`` on.

    Without the index, and for parts of one or two characters, it reads the organization's numbers
    in order until ``limit`` are found.
    """
    number = _SEARCH.c.phone_number
    conditions: list[ColumnElement[bool]] = [
        number > after,
        number.contains(part, autoescape=True),
    ]
    if direction is not None:
        conditions.append(_SEARCH.c.direction == direction)
    if trunk_id is not None:
        conditions.append(_SEARCH.c.trunk_id == trunk_id)
    return select(number).distinct().where(*conditions).order_by(number).limit(limit)
