"""Test calls as they stand, and which setting a retry proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import NotFound
from api.schemas.test_calls import TestCallView, diagnosis_of
from api.state import ApiState
from domain.call_state import CallResult
from domain.variants import setting_to_save
from storage import calls
from storage.notify import topic
from storage.tables import Call, CallEvent

__all__ = ["MISSED_NEWS", "followed", "view_of"]

MISSED_NEWS = timedelta(seconds=1)
"""Rows are read again at least this often, for a notification lost with its connection."""

LONGEST_CHAIN = 32
"""Retries of retries that are looked at; the limit of calls ends a chain long before."""


async def followed(
    state: ApiState, principal: Principal, call_id: str, wait: float
) -> TestCallView:
    """The call when it has ended, or as it stands after ``wait`` seconds. Raises ``NotFound``."""
    deadline = datetime.now(UTC) + timedelta(seconds=wait)
    async with state.listener.subscribe(topic(calls.CHANNEL, call_id)) as waiter:
        while True:
            async with state.database.tenant(principal.org_id) as session:
                row = await calls.get_test(session, call_id)
                if row is None:
                    raise NotFound("no such test call")
                left = deadline - datetime.now(UTC)
                if row.ended_at is not None or left <= timedelta(0):
                    return await view_of(session, row)
            await waiter.wait(min(left, MISSED_NEWS))


async def view_of(
    session: AsyncSession, row: Call, events: list[CallEvent] | None = None
) -> TestCallView:
    """The call with its timeline, which is read when it is not given."""
    if events is None:
        events = await calls.events(session, row.id)
    return TestCallView.of(row, events, await _setting_to_save(session, row))


async def _setting_to_save(session: AsyncSession, row: Call) -> dict[str, Any] | None:
    """Options that make the trunk work as this retry did: its variant, and those it was built on.

    ``None`` unless the retry got further than the call before it.
    """
    if row.variant is None or row.parent_id is None or row.ended_at is None:
        return None
    parent = await calls.get_test(session, row.parent_id)
    if parent is None or not _is_better(row, parent):
        return None
    changed = [row.variant]
    while parent is not None and parent.variant is not None and len(changed) < LONGEST_CHAIN:
        changed.append(parent.variant)
        above = parent.parent_id
        parent = None if above is None else await calls.get_test(session, above)
    options: dict[str, Any] = {}
    for variant in reversed(changed):
        options |= setting_to_save(variant)
    return options


def _is_better(row: Call, parent: Call) -> bool:
    """Whether it was answered where the other was not, or nothing is wrong any more."""
    if row.result is not CallResult.CONNECTED:
        return False
    return parent.result is not CallResult.CONNECTED or diagnosis_of(row) is None
