"""The query of the list of trunks: pages by key set only when a limit is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Query

from api.cursors import moment_behind, place_of
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
        return Place(*place_of(self.cursor, partial(is_id, "trk")))


def cursor_behind(place: Place) -> str:
    """The cursor of the page behind this trunk; it stays good when the trunk is deleted."""
    return moment_behind(place.created_at, place.trunk_id)


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
