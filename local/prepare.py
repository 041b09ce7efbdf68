"""Prepares the database of the one-machine system: tables, demo organization, operator key.

Run as ``python -m local.prepare`` with the settings in the environment. Reads
``{"api_key": KEY or null}`` from standard input and answers ``{"api_key": KEY}``: the same key while
it still works, so that a second start finds everything again. Standard error ends with the reason,
in one line, when the exit status is not 0.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Final

from sqlmodel import col, select

from commands.migrate import bring_up_to_date
from settings import Settings
from storage import api_keys, organizations
from storage.engine import Database
from storage.errors import StorageError
from storage.ids import new_id
from storage.migrate import is_current
from storage.tables import Organization, Role

__all__ = ["main", "prepare"]

DEMO_NAME: Final = "Demo"
_KEY_NAME: Final = "make up"


class NotMigrated(Exception):
    """The tables are missing or old, and nobody said as whom to make them."""


async def prepare(settings: Settings, api_key: str | None) -> str:
    """Returns a key with the role operator of the demo organization.

    Raises ``StorageError``, ``NotMigrated``, and ``ValueError`` for an unreadable database URL.
    """
    url = settings.database_url.get_secret_value()
    if settings.database_owner_url is not None:
        await asyncio.to_thread(bring_up_to_date, settings)
    database = Database(url, pool_size=2, application="trunkline-prepare")
    try:
        await database.check_role()
        async with database.system() as session:
            if not await is_current(session):
                raise NotMigrated(
                    "the tables are missing or old: set TRUNKLINE_DATABASE_OWNER_URL to the role "
                    "that owns them"
                )
        if api_key is not None and await _works(database, api_key):
            return api_key
        return await _make_key(database)
    finally:
        await database.dispose()


async def _works(database: Database, api_key: str) -> bool:
    async with database.system() as session:
        found = await api_keys.find(session, api_keys.hash_of(api_key), now=datetime.now(UTC))
    return found is not None and found[0].role is Role.OPERATOR


async def _make_key(database: Database) -> str:
    """A new key for the demo organization, which is made when there is none of that name."""
    async with database.system() as session:
        org_id = await session.scalar(
            select(Organization.id)
            .where(col(Organization.name) == DEMO_NAME)
            .order_by(col(Organization.created_at))
            .limit(1)
        )
        if org_id is None:
            demo = organizations.NewOrganization(
                id=new_id("org"), name=DEMO_NAME, region="us", entitlements=["SIP"]
            )
            org_id = (await organizations.create(session, demo)).id
        made = await api_keys.create(session, org_id, name=_KEY_NAME, role=Role.OPERATOR)
    return made.secret


def main() -> None:
    """Entry point of the process."""
    wanted = json.load(sys.stdin)["api_key"]
    try:
        api_key = asyncio.run(prepare(Settings(), wanted))
    except (StorageError, NotMigrated, ValueError) as error:
        sys.exit(str(error))
    json.dump({"api_key": api_key}, sys.stdout)


if __name__ == "__main__":
    main()
