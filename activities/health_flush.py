"""Samples of a shard on their way to the database: many targets a statement, every few minutes."""

from __future__ import annotations

import asyncio
from array import array
from typing import Final

from activities.health_samples import hours_of, new_samples
from activities.health_shards import HeldShard
from observability.logs import get_logger
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.health_writes import HourRow, flush_hours

__all__ = ["flush_samples"]

_log = get_logger("trunkline.health")

TARGETS_A_STATEMENT: Final = 2000

TARGETS_AT_A_TIME: Final = 200
"""Packed before probing gets its turn again: some milliseconds."""

MAX_KEPT: Final = 180
"""Samples that a target keeps while the database is away: about three hours."""

_Taken = list[tuple[str, "array[int]"]]


async def flush_samples(shard: HeldShard, database: Database) -> None:
    """Write every sample of a shard.

    What was certainly not committed is kept for the next time; what may have been is not written
    again, since totals add up. Raises ``DatabaseUnavailable`` and ``FenceLost``.
    """
    async with shard.flushing:
        taken = _take(shard)
        while taken:
            some, taken = taken[:TARGETS_A_STATEMENT], taken[TARGETS_A_STATEMENT:]
            rows = await _rows(some)
            sent = False
            try:
                async with database.system() as session:
                    await flush_hours(session, {shard.number: shard.fence}, rows)
                    sent = True
            except DatabaseUnavailable:
                if sent:
                    _log.warning("samples may be lost", shard=shard.number, targets=len(some))
                _give_back(shard, taken if sent else some + taken)
                raise


def _take(shard: HeldShard) -> _Taken:
    taken: dict[str, array[int]] = {}
    for target_id, samples in shard.departed:
        # A target may have come and gone more than once.
        taken[target_id] = taken[target_id] + samples if target_id in taken else samples
    shard.departed = []
    for target_id, target in shard.targets.items():
        if target.samples:
            before = taken.get(target_id)
            taken[target_id] = target.samples if before is None else before + target.samples
            target.samples = new_samples()
    shard.samples += sum(len(samples) for samples in taken.values())
    return list(taken.items())


def _give_back(shard: HeldShard, taken: _Taken) -> None:
    for target_id, samples in taken:
        shard.samples -= len(samples)
        target = shard.targets.get(target_id)
        if target is None:
            shard.departed.append((target_id, samples))
        else:
            target.samples = (samples + target.samples)[-MAX_KEPT:]


async def _rows(taken: _Taken) -> list[HourRow]:
    rows: list[HourRow] = []
    for number, (target_id, samples) in enumerate(taken):
        rows.extend(hours_of(target_id, samples))
        if number % TARGETS_AT_A_TIME == TARGETS_AT_A_TIME - 1:
            await asyncio.sleep(0)
    return rows
