"""The query of the list of numbers: filters, and pages by key set only when a limit is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from api.cursors import cursor_of, not_a_cursor, text_of
from api.errors import InvalidRequest
from api.validation import storable
from domain.trunk import Direction
from storage.number_pages import NumberFilter

__all__ = ["NumberPage", "NumberQuery"]

MAX_LIMIT = 1000
MAX_CURSOR = 128
MAX_SEARCH = 64


@dataclass(frozen=True, slots=True)
class NumberPage:
    """Which numbers, how many, and behind which."""

    wanted: NumberFilter
    limit: int | None = None
    cursor: str | None = None

    def after(self) -> str:
        """The last number of the page before, or the empty text. Raises ``InvalidRequest``."""
        if self.cursor is None:
            return ""
        try:
            number = text_of(self.cursor)
        except ValueError as error:
            raise not_a_cursor() from error
        if not number or not number.isprintable():
            raise not_a_cursor()
        return number

    def cursor_behind(self, number: str) -> str:
        """The cursor of the page behind this number."""
        return cursor_of(number)


async def _from_query(
    direction: Annotated[
        Direction | None, Query(description="Numbers that are configured for this direction.")
    ] = None,
    trunk_id: Annotated[
        str | None, Query(max_length=64, description="Numbers that this trunk carries.")
    ] = None,
    search: Annotated[
        str | None, Query(max_length=MAX_SEARCH, description="A part of the number.")
    ] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="Numbers of a page; default all.")
    ] = None,
    cursor: Annotated[
        str | None,
        Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before."),
    ] = None,
) -> NumberPage:
    for name, text in (("search", search), ("trunk_id", trunk_id), ("cursor", cursor)):
        if text is not None and not storable(text):
            raise InvalidRequest(f"{name}: must not hold NUL characters", field=name)
    return NumberPage(NumberFilter(direction, trunk_id, search or None), limit, cursor)


NumberQuery = Annotated[NumberPage, Depends(_from_query)]
