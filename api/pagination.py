"""Pages by key set: a cursor names the last row seen, so rows that come or go do not shift a page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from api.errors import InvalidRequest
from storage.ids import Prefix, is_id

__all__ = ["PageQuery", "PageRequest"]

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 128


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many rows, and behind which."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, prefix: Prefix) -> str | None:
        """Id of the last row of the page before.

        Raises ``InvalidRequest`` when the cursor is not one that a page of this list has named.
        """
        if self.cursor is None:
            return None
        try:
            row_id = base64.b64decode(self.cursor.encode("ascii"), altchars=b"-_", validate=True)
            text = row_id.decode("ascii")
        except ValueError as error:
            raise _not_ours() from error
        if not is_id(prefix, text):
            raise _not_ours()
        return text

    def next_cursor(self, row_ids: list[str]) -> str | None:
        """Cursor of the next page, when ``row_ids`` (read with ``limit + 1``) show that there is one."""
        if len(row_ids) <= self.limit:
            return None
        return base64.urlsafe_b64encode(row_ids[self.limit - 1].encode()).decode()


def _not_ours() -> InvalidRequest:
    return InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")


async def _from_query(
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="Rows of a page.", examples=[50])
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before."),
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


PageQuery = Annotated[PageRequest, Depends(_from_query)]
