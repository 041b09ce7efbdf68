"""Trunks as they are read: the list, and one with what is bound to it (contract 7.2, 7.3)."""

from __future__ import annotations

from typing import Any

from api.errors import NotFound
from api.services.trunk_views import as_json
from api.trunk_query import TrunkPage, cursor_behind
from storage import shown
from storage.engine import Database
from storage.ids import is_id
from storage.trunks import Place

__all__ = ["detail", "page"]


async def page(database: Database, org_id: str, wanted: TrunkPage) -> dict[str, Any]:
    """The organization's named trunks, oldest first, a ``TrunkList`` as JSON.

    Raises ``InvalidRequest``.
    """
    limit = wanted.limit
    found = await shown.named_trunks(
        database, org_id, limit=None if limit is None else limit + 1, after=wanted.after()
    )
    listed = found[:limit]
    data: dict[str, Any] = {
        "trunks": [
            {**as_json(each.trunk), "bound_number_count": each.bound_number_count}
            for each in listed
        ]
    }
    if len(listed) < len(found):
        last = listed[-1].trunk
        data["next_cursor"] = cursor_behind(Place(last.created_at, last.id))
    return data


async def detail(database: Database, org_id: str, trunk_id: str) -> dict[str, Any]:
    """One trunk, named or implicit, a ``TrunkDetailView`` as JSON. Raises ``NotFound``."""
    found = None
    if is_id("trk", trunk_id):
        found = await shown.trunk_with_numbers(database, org_id, trunk_id)
    if found is None:
        raise NotFound("no such trunk")
    return {
        **as_json(found.trunk),
        "bound_numbers": [
            {"phone_number": number, "directions": directions}
            for number, directions in found.numbers
        ],
    }
