"""Whether this process can do its work, and what to mend when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from pydantic import BaseModel

from api.errors import Unavailable
from api.state import ApiState
from storage import presence
from storage.errors import DatabaseUnavailable, UnsafeRole
from storage.tables import ProcessKind
from upkeep.passes import SILENT_AFTER

__all__ = ["Check", "Readiness", "readiness"]

# A probe asks every few seconds; a part that needs longer is as good as away.
CHECK_DEADLINE = timedelta(seconds=2)


class Check(BaseModel):
    """One part that the process needs; ``mend`` says what to do when it fails."""

    ok: bool
    ms: float
    problem: str | None = None
    mend: str | None = None


class Readiness(BaseModel):
    """All parts; ready when each of them is."""

    ready: bool
    checks: dict[str, Check]


class _Failed(Exception):
    """The part is away, for the given reason."""


async def readiness(state: ApiState) -> Readiness:
    """Ask every part at once, each for at most two seconds."""
    database, temporal, worker = await asyncio.gather(
        _check(
            _database(state),
            "Start PostgreSQL, run `trunkline migrate`, and check TRUNKLINE_DATABASE_URL.",
        ),
        _check(
            _temporal(state),
            f"Start Temporal at {state.settings.temporal_address}, or set TRUNKLINE_TEMPORAL_ADDRESS.",
        ),
        _check(
            _worker(state),
            "Start a worker with `trunkline worker`, on the same database as this API.",
        ),
    )
    checks = {"database": database, "temporal": temporal, "worker": worker}
    return Readiness(ready=all(each.ok for each in checks.values()), checks=checks)


async def _check(part: Awaitable[None], mend: str) -> Check:
    started = perf_counter()
    problem: str | None = None
    try:
        async with asyncio.timeout(CHECK_DEADLINE.total_seconds()):
            await part
    except TimeoutError:
        problem = f"no answer within {CHECK_DEADLINE.total_seconds():g} s"
    except (_Failed, Unavailable, DatabaseUnavailable, UnsafeRole) as error:
        problem = str(error)
    ms = round((perf_counter() - started) * 1000, 1)
    if problem is None:
        return Check(ok=True, ms=ms)
    return Check(ok=False, ms=ms, problem=problem, mend=mend)


async def _database(state: ApiState) -> None:
    await state.database.check_role()


async def _temporal(state: ApiState) -> None:
    await state.temporal.check()


async def _worker(state: ApiState) -> None:
    async with state.database.system() as session:
        since = datetime.now(UTC) - SILENT_AFTER
        alive = await presence.seen(session, ProcessKind.WORKER, since=since)
    if not alive:
        silence = SILENT_AFTER.total_seconds()
        raise _Failed(f"no worker was seen in the last {silence:g} s")
