"""The query of the list of trunks: pages by key set only when a limit is given."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from api.errors import InvalidRequest
from storage.ids import is_id
from storage.trunks import Place

__all__ = ["TrunkPage", "TrunkQuery", "cursor_behind"]

MAX_LIMIT = 1000
MAX_CURSOR = 128


@dataclass(frozen=True, slots=True)
class TrunkPage:
    """How many trunks, all without ``limit``, and behind which."""

    limit: int | None = None
    cursor: str | None = None

    def after(self) -> Place | None:
        """The place of the last trunk of the page before. Raises ``InvalidRequest``."""
        if self.cursor is None:
            return None
        try:
            text = base64.b64decode(self.cursor, altchars=b"-_", validate=True).decode("ascii")
            moment, _, trunk_id = text.partition(" ")
            created_at = datetime.fromisoformat(moment)
        except ValueError as error:
            raise _not_ours() from error
        if created_at.tzinfo is None or not is_id("trk", trunk_id):
            raise _not_ours()
        return Place(created_at, trunk_id)


def cursor_behind(place: Place) -> str:
    """The cursor of the page behind this trunk; it stays good when the trunk is deleted."""
    text = f"{place.created_at.isoformat()} {place.trunk_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _not_ours() -> InvalidRequest:
    return InvalidRequest("cursor: is not a next_cursor of this list", field="cursor")


async def _from_query(
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="Trunks of a page; default all.")
    ] = None,
    cursor: Annotated[
        str | None,
        Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before."),
    ] = None,
) -> TrunkPage:
    return TrunkPage(limit, cursor)


TrunkQuery = Annotated[TrunkPage, Depends(_from_query)]
