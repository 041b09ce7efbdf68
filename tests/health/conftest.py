"""Worker processes over one Temporal and a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase
from tests.support.product import Product, open_product
from tests.support.temporal import TemporalServer, run_temporal

INTERVAL = 5
"""Seconds between two rounds: longer than three refusals take to be confirmed."""


@pytest.fixture(scope="session")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    async with run_temporal(tmp_path_factory.mktemp("temporal")) as server:
        yield server


@pytest.fixture
async def product(
    database_urls: TestDatabase,
    temporal: TemporalServer,
    loopback: LoopbackBlock,
    tmp_path: Path,
) -> AsyncIterator[Product]:
    async with open_product(
        tmp_path,
        database_urls,
        temporal,
        TRUNKLINE_ALLOWED_NETWORKS=str(loopback.network),
        TRUNKLINE_HEALTH_INTERVAL_SECONDS=str(INTERVAL),
    ) as opened:
        yield opened
