"""What every test may ask for: a database of its own and addresses of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Final

import coverage
import pytest
from hypothesis import HealthCheck, settings

from storage.engine import Database
from tests.support.loopback import LoopbackBlock, claim_loopback_block
from tests.support.postgres import PostgresForTests, TestDatabase, run_postgres

# A busy machine says nothing of a property: neither of an example's time nor of how fast they are made.
settings.register_profile("trunkline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trunkline")

MEASURED: Final = tuple(Path(__file__).with_name(folder) for folder in ("domain", "sip"))
"""The tests of the code whose coverage is measured."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage where that code is tested: under the tracer everything else takes twice the
    time too."""
    measuring = coverage.Coverage.current()
    if measuring is None or any(item.path.is_relative_to(folder) for folder in MEASURED):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresForTests]:
    """The PostgreSQL server of this run; started by the first test that needs it."""
    folder = tmp_path_factory.mktemp("postgres")
    with run_postgres(folder) as server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture
def database_urls(postgres: PostgresForTests) -> Iterator[TestDatabase]:
    """A migrated database of this test alone, as URLs: for processes, the owner, a superuser."""
    with postgres.lend() as made:
        yield made


@pytest.fixture
async def database(database_urls: TestDatabase) -> AsyncIterator[Database]:
    """A migrated database of this test alone, connected as the app's role."""
    opened = Database(database_urls.app_url)
    yield opened
    await opened.dispose()


@pytest.fixture(scope="session")
def loopback() -> Iterator[LoopbackBlock]:
    """``loopback.address()`` is an address of 127.0.0.0/8 that nobody else has."""
    with claim_loopback_block() as block:
        yield block
