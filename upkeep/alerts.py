"""Decide what is worth an alert: each organization every minute, and sooner while something is wrong.

Any process decides about any organization, one at a time. Alerts and their outbox entries are one
transaction, so what was decided is told even if this process dies the moment after. An organization
that cannot be decided about keeps no other waiting.
"""

from __future__ import annotations

import traceback
from asyncio import to_thread
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from domain.alerts import REOPENED_WITHIN, decide
from observability.logs import get_logger
from storage import alerts
from storage.alert_pictures import picture_of_organization
from storage.engine import Database
from storage.errors import DatabaseUnavailable

__all__ = ["ALERTS_KEPT", "decide_alerts"]

_log = get_logger("trunkline.alerts")

LONGEST_PAUSE: Final = timedelta(minutes=1)
"""Between two decisions about an organization with which nothing is wrong."""

SHORTEST_PAUSE: Final = timedelta(seconds=1)
PRESSING_PAUSE: Final = timedelta(seconds=5)
"""While a trunk of it is down or an alert is open."""

BATCH: Final = 50

ALERTS_KEPT: Final = timedelta(days=90)
"""Behind their end."""


Clock = Callable[[], datetime]


def _utc() -> datetime:
    return datetime.now(UTC)


async def decide_alerts(database: Database, clock: Clock = _utc) -> int:
    """Decide about every organization that is due by the clock; how many there were.

    Raises ``DatabaseUnavailable``.
    """
    decided = 0
    while True:
        now = clock()
        async with database.system() as session:
            due = await alerts.due_organizations(
                session, now=now, pressing_since=now - PRESSING_PAUSE, limit=BATCH
            )
        for org_id in due:
            try:
                await _decide_about(database, org_id, clock())
            except DatabaseUnavailable:
                raise
            except Exception as error:
                await _put_off(database, org_id, clock(), error)
        decided += len(due)
        if len(due) < BATCH:
            return decided


async def _put_off(database: Database, org_id: str, now: datetime, error: Exception) -> None:
    """Say that an organization cannot be decided about, and let it wait.

    The words of the error stay unsaid: they may repeat what a customer configured.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = [each for each in frames if "site-packages" not in each.filename][-1]
    _log.error(
        "no decision about alerts",
        org_id=org_id,
        reason=f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}",
    )
    async with database.system() as session:
        # What the decision claimed went with its transaction.
        if await alerts.claim(session, org_id, now=now, since=now):
            await alerts.note_decided(session, org_id, now=now, due_at=now + LONGEST_PAUSE)


async def _decide_about(database: Database, org_id: str, now: datetime) -> None:
    async with database.system() as session:
        if not await alerts.claim(session, org_id, now=now, since=now - SHORTEST_PAUSE):
            return
        await alerts.lock(session, org_id)
        standing = await alerts.standing(session, org_id, since=now - REOPENED_WITHIN)
        picture = await picture_of_organization(session, org_id, now=now)
        # Outside the event loop: thousands of trunks take seconds.
        decision = await to_thread(decide, picture, standing, now)
        changes = (*decision.opened, *decision.updated, *decision.resolved)
        changed = [change.alert for change in changes]
        await alerts.save(session, changed)
        await alerts.tell(session, changed)
        latest = now + LONGEST_PAUSE
        soonest = now + SHORTEST_PAUSE
        due_at = max(soonest, min(decision.wake_at or latest, latest))
        await alerts.note_decided(session, org_id, now=now, due_at=due_at)
    for change in changes:
        _log.info(
            "alert",
            org_id=org_id,
            alert_id=change.alert.alert_id,
            kind=change.alert.kind.value,
            open=change.alert.is_open,
            because=list(change.because),
        )
