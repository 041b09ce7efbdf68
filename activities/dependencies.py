"""What activities need of the outside world, built once per worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from activities.probing import guard_of, identity_of, read_authorities
from settings import Settings
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from storage.engine import Database

__all__ = ["Dependencies", "open_dependencies"]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Shared by all activities of a process."""

    settings: Settings
    database: Database
    resolver: Resolver
    guard: AddressGuard
    identity: ProbeIdentity


@asynccontextmanager
async def open_dependencies(settings: Settings) -> AsyncIterator[Dependencies]:
    """Connect what activities need.

    Raises ``OSError`` when the trusted authorities cannot be read and ``StorageError`` when the
    database refuses us.
    """
    identity = identity_of(settings)
    read_authorities(identity)
    database = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application="trunkline-worker",
    )
    try:
        await database.check_role()
        yield Dependencies(
            settings=settings,
            database=database,
            resolver=Resolver(settings.nameservers()),
            guard=guard_of(settings),
            identity=identity,
        )
    finally:
        await database.dispose()
