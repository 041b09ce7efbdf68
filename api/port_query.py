"""The queries of port orders: which ones, how many, and behind which; and how they are named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime

from api.cursors import place_of
from api.schemas.port_examples import ORDER_ID
from api.state import state_of
from domain.phone_numbers import spellings_of
from domain.porting.words import PublicStatus, SubStatus
from storage.ids import is_id
from storage.port_pages import PortFilter

__all__ = ["BaseUrl", "PortId", "PortListRequest", "PortQuery"]

MAX_LIMIT: Final = 200
MAX_CURSOR: Final = 128

PortId = Annotated[
    str,
    Path(
        alias="id",
        pattern="^port_[0-9A-Za-z]{22}$",
        description="Id of the port order.",
        examples=[ORDER_ID],
    ),
]


@dataclass(frozen=True, slots=True)
class PortListRequest:
    """Orders that meet the filter; without ``limit`` all of them (contract 6.4)."""

    wanted: PortFilter
    limit: int | None
    before: tuple[datetime, str] | None


async def _from_query(
    status: Annotated[
        PublicStatus | None,
        Query(
            description="Only orders of this status; `draft` shows drafts, which are else left out."
        ),
    ] = None,
    sub_status: Annotated[
        SubStatus | None, Query(description="Only orders that stand exactly so.")
    ] = None,
    phone_number: Annotated[
        str | None, Query(max_length=64, description="Only orders with this number (E.164).")
    ] = None,
    updated_after: Annotated[
        AwareDatetime | None, Query(description="Only orders that changed after this time.")
    ] = None,
    parent_id: Annotated[
        str | None,
        Query(
            pattern="^port_[0-9A-Za-z]{22}$",
            description="The parts of this split order, which are else left out.",
        ),
    ] = None,
    include_terminal: Annotated[bool, Query(description="`false`: only orders that go on.")] = True,
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_LIMIT, description="Orders of a page; left out, all.")
    ] = None,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before.")
    ] = None,
) -> PortListRequest:
    number = None if phone_number is None else spellings_of(phone_number)[-1]
    return PortListRequest(
        wanted=PortFilter(
            status=status,
            sub_status=sub_status,
            phone_number=number,
            updated_after=updated_after,
            parent_id=parent_id,
            whole_only=parent_id is None,
            include_terminal=include_terminal,
            include_drafts=status is PublicStatus.DRAFT or sub_status is SubStatus.DRAFT,
        ),
        limit=limit,
        before=None if cursor is None else place_of(cursor, partial(is_id, "port")),
    )


async def _base_url(request: Request) -> str:
    """Where customers reach us: what the operator says, else where this request went."""
    public = state_of(request).settings.public_url
    return (public or str(request.base_url)).rstrip("/")


PortQuery = Annotated[PortListRequest, Depends(_from_query)]
BaseUrl = Annotated[str, Depends(_base_url)]
