"""A decision for each trunk.

A trunk's changes leave entries in the outbox that wake its workflow. What that cannot know is found
here: a trunk from before there were decisions, and one whose workflow was ended before its first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from observability.logs import get_logger
from storage.engine import Database
from storage.undecided_trunks import nudge_undecided

__all__ = ["wake_undecided_trunks"]

_log = get_logger("trunkline.upkeep")

PATIENCE = timedelta(minutes=1)
"""A trunk that was made a moment ago has its first decision on the way."""

NUDGE_INTERVAL = timedelta(minutes=10)
"""While no worker runs, every nudge is an event in a history."""

BATCH = 200


async def wake_undecided_trunks(database: Database) -> int:
    """Nudge the trunks without a route; how many. Raises ``DatabaseUnavailable``."""
    now = datetime.now(UTC)
    async with database.system() as session:
        woken = await nudge_undecided(
            session,
            changed_before=now - PATIENCE,
            nudged_before=now - NUDGE_INTERVAL,
            limit=BATCH,
        )
    if woken:
        _log.info("trunks without a route were woken", trunks=woken)
    return woken
