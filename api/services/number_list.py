"""The list of numbers (contract 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.trunk import Direction
from domain.trunk_health import STATUS_WORDS
from storage import number_pages
from storage.engine import Database
from storage.number_pages import ListedNumber, NumberFilter

__all__ = ["ListedPage", "every", "page"]

PAGE = 1000
"""Numbers read at a time when all are wanted: other requests get their turn in between."""

# Plain text: an enumeration's member is slow to be written as JSON, and a page has hundreds.
_DIRECTIONS = {
    (True, True): [Direction.INBOUND.value, Direction.OUTBOUND.value],
    (True, False): [Direction.INBOUND.value],
    (False, True): [Direction.OUTBOUND.value],
}


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Numbers as the contract shows them, and the last of them when there are more."""

    numbers: list[dict[str, Any]]
    last: str | None = None


async def page(
    database: Database, org_id: str, wanted: NumberFilter, *, limit: int, after: str
) -> ListedPage:
    """At most ``limit`` numbers from after ``after`` on."""
    found = await number_pages.page(database, org_id, wanted, limit=limit + 1, after=after)
    shown = found[:limit]
    last = shown[-1].phone_number if len(shown) < len(found) else None
    return ListedPage([_item(each) for each in shown], last)


async def every(database: Database, org_id: str, wanted: NumberFilter, *, after: str) -> ListedPage:
    """All numbers from after ``after`` on."""
    numbers: list[dict[str, Any]] = []
    last: str | None = after
    while last is not None:
        part = await page(database, org_id, wanted, limit=PAGE, after=last)
        numbers += part.numbers
        last = part.last
    return ListedPage(numbers)


def _item(listed: ListedNumber) -> dict[str, Any]:
    return {
        "phone_number": listed.phone_number,
        "directions": _DIRECTIONS[listed.inbound, listed.outbound],
        "sip_endpoint": listed.sip_endpoint,
        "health_status": STATUS_WORDS[listed.state],
    }
