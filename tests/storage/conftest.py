"""Fixtures of the storage tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.engine import Database
from tests.storage.factories import add_organization
from tests.support.postgres import TestDatabase


@pytest.fixture
async def org_id(database: Database) -> str:
    """An organization."""
    return await add_organization(database)


@pytest.fixture
async def other_org_id(database: Database) -> str:
    """Another organization of the same installation."""
    return await add_organization(database, "Other")


@pytest.fixture
async def single(database_urls: TestDatabase) -> AsyncIterator[Database]:
    """A database with one connection for reads."""
    opened = Database(database_urls.app_url, readers=1)
    yield opened
    await opened.dispose()
