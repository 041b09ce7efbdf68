"""The list of numbers (contract 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from storage import number_pages
from storage.number_pages import ListedNumber, NumberFilter

__all__ = ["ListedPage", "every", "page"]

UNCHECKED = "unchecked"
"""Contract section 2: what was never probed."""

PAGE = 1000
"""Numbers read at a time when all are wanted: other requests get their turn in between."""


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Numbers as the contract shows them, and the last of them when there are more."""

    numbers: list[dict[str, Any]]
    last: str | None = None


async def page(
    session: AsyncSession, org_id: str, wanted: NumberFilter, *, limit: int, after: str
) -> ListedPage:
    """At most ``limit`` numbers from after ``after`` on."""
    found = await number_pages.page(session, org_id, wanted, limit=limit + 1, after=after)
    shown = found[:limit]
    last = shown[-1].phone_number if len(shown) < len(found) else None
    return ListedPage([_item(each) for each in shown], last)


async def every(
    session: AsyncSession, org_id: str, wanted: NumberFilter, *, after: str
) -> ListedPage:
    """All numbers from after ``after`` on."""
    numbers: list[dict[str, Any]] = []
    last: str | None = after
    while last is not None:
        part = await page(session, org_id, wanted, limit=PAGE, after=last)
        numbers += part.numbers
        last = part.last
    return ListedPage(numbers)


def _item(listed: ListedNumber) -> dict[str, Any]:
    return {
        "phone_number": listed.phone_number,
        "directions": listed.directions,
        "sip_endpoint": listed.sip_endpoint,
        "health_status": UNCHECKED,
    }
