"""Calls of the log: lists, and one call by its id or its Call-ID."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import InvalidRequest, NotFound
from api.schemas.call_log import WholeCallView
from api.state import ApiState
from storage import call_pages, live_calls
from storage.call_pages import CallFilter, LoggedCall
from storage.tables import CallMatch, Role
from storage.tables.live_call import NOBODYS

__all__ = ["UNASSIGNED", "found_call", "listed", "place_of", "whole"]

UNASSIGNED: Final = (CallMatch.AMBIGUOUS.value, CallMatch.UNMATCHED.value)
"""Calls of nobody's, or of several organizations': for operators only."""


async def listed(
    state: ApiState,
    principal: Principal,
    wanted: CallFilter,
    *,
    limit: int,
    before: str | None,
    unassigned: bool = False,
) -> Sequence[LoggedCall]:
    """A page of the log from after the call ``before`` (an id or Call-ID), the newest first.

    Raises ``InvalidRequest`` when ``before`` names no call, for instance because it was dropped with
    its day.
    """
    if unassigned:
        wanted = replace(wanted, matches=UNASSIGNED)
    async with _scope(state, principal, unassigned=unassigned) as session:
        owner = NOBODYS if unassigned else None
        behind = None if before is None else await place_of(session, before, org_id=owner)
        return await call_pages.page(session, wanted, limit=limit, before=behind)


async def whole(state: ApiState, principal: Principal, key: str) -> WholeCallView:
    """The call with this id or Call-ID, with all that is known of it. Raises ``NotFound``."""
    async with found_call(state, principal, key) as (session, call):
        row = await live_calls.get(session, call) if call.live else None
        others = await live_calls.related(session, row) if row is not None else []
    return WholeCallView.whole(call, row, others)


async def place_of(
    session: AsyncSession, key: str, *, org_id: str | None = None
) -> tuple[datetime, str]:
    """Where in the log a call stands; of several with a Call-ID the last in the log, so that a page
    behind it is another one. Raises ``InvalidRequest`` when there is none."""
    call = await call_pages.logged(session, key, org_id=org_id, oldest=True)
    if call is None:
        raise InvalidRequest("before: names no call of this log", field="before")
    return call.started_at, call.id


@asynccontextmanager
async def found_call(
    state: ApiState, principal: Principal, key: str
) -> AsyncIterator[tuple[AsyncSession, LoggedCall]]:
    """The call with this id or Call-ID, and the session that sees it. Raises ``NotFound``.

    Operators also see calls that belong to no organization.
    """
    async with _scope(state, principal) as session:
        call = await call_pages.logged(session, key)
        if call is not None:
            yield session, call
            return
    if principal.may(Role.OPERATOR):
        async with _scope(state, principal, unassigned=True) as session:
            call = await call_pages.logged(session, key, org_id=NOBODYS)
            if call is not None:
                yield session, call
                return
    raise NotFound("no such call")


@asynccontextmanager
async def _scope(
    state: ApiState, principal: Principal, *, unassigned: bool = False
) -> AsyncIterator[AsyncSession]:
    scope = state.database.system() if unassigned else state.database.tenant(principal.org_id)
    async with scope as session:
        yield session
