"""Rows are written at once, together when they come together, and none is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from activities.batches import MAX_BATCH, BatchWriter


class Table:
    """Keeps batches; a write waits for ``gate``."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.writing = asyncio.Event()

    async def write(self, batch: Sequence[int]) -> None:
        self.writing.set()
        await self.gate.wait()
        self.batches.append(list(batch))


async def test_a_lone_row_is_written_without_waiting_for_more() -> None:
    table = Table()
    table.gate.set()
    async with BatchWriter(table.write) as writer:
        writer.put(1)
        await table.writing.wait()
        await asyncio.sleep(0)
        assert table.batches == [[1]]


async def test_rows_that_arrive_during_a_write_go_together() -> None:
    table = Table()
    async with BatchWriter(table.write) as writer:
        writer.put(0)
        await table.writing.wait()
        for row in range(1, 100):
            writer.put(row)
        table.gate.set()
    assert table.batches == [[0], list(range(1, 100))]


async def test_a_burst_is_split_at_the_largest_batch() -> None:
    table = Table()
    table.gate.set()
    async with BatchWriter(table.write) as writer:
        for row in range(MAX_BATCH + 1):
            writer.put(row)
    assert [len(batch) for batch in table.batches] == [MAX_BATCH, 1]


async def test_rows_beyond_the_limit_are_counted() -> None:
    table = Table()
    async with BatchWriter(table.write, limit=3) as writer:
        for row in range(5):
            writer.put(row)
        assert writer.dropped == 2
        table.gate.set()
    assert table.batches == [[0, 1, 2]]


async def test_a_failing_write_is_raised_where_the_block_ends() -> None:
    async def refuse(batch: Sequence[int]) -> None:
        raise ConnectionError("away")

    writer = BatchWriter(refuse)
    await writer.__aenter__()
    writer.put(1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writer.put(2)
    assert (writer.failed, writer.dropped) == (True, 1)
    with pytest.raises(ConnectionError):
        await writer.__aexit__()
