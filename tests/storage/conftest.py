"""Fixtures of the storage tests."""

from __future__ import annotations

import pytest

from storage.engine import Database
from tests.storage.factories import add_organization


@pytest.fixture
async def org_id(database: Database) -> str:
    """An organization."""
    return await add_organization(database)


@pytest.fixture
async def other_org_id(database: Database) -> str:
    """Another organization of the same installation."""
    return await add_organization(database, "Other")
