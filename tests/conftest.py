"""What every test may ask for: a database of its own and addresses of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from tests.support.loopback import LoopbackBlock, claim_loopback_block
from tests.support.postgres import PostgresForTests, TestDatabase, run_postgres


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
