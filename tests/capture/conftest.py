"""Fixtures of the collector's tests: an organization whose number is on a trunk."""

from __future__ import annotations

import pytest

from storage.engine import Database
from tests.capture.collecting import CALLERS_NUMBER
from tests.domain.live_traffic import CALLEE
from tests.storage.factories import add_organization
from tests.storage.health_rows import add_trunk
from tests.storage.owned_numbers import bind, leads_to


@pytest.fixture
async def org_id(database: Database) -> str:
    return await add_organization(database)


@pytest.fixture
async def trunk_id(database: Database, org_id: str) -> str:
    """Carries calls of the caller's number to the callee."""
    made = await add_trunk(database, org_id)
    await bind(database, org_id, made, CALLERS_NUMBER)
    await leads_to(database, org_id, made, a=[CALLEE[0]])
    return made
