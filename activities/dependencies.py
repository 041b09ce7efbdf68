"""What activities need of the outside world, built once per worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from activities.call_writer import CallWriter
from activities.probing import guard_of, identity_of, read_authorities
from settings import Settings
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from storage.engine import Database
from storage.secret_box import InvalidKeyRing, SecretBox

__all__ = ["Dependencies", "open_dependencies"]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Shared by all activities of a process."""

    settings: Settings
    database: Database
    resolver: Resolver
    guard: AddressGuard
    identity: ProbeIdentity
    secret_box: SecretBox
    call_writer: CallWriter


@asynccontextmanager
async def open_dependencies(settings: Settings) -> AsyncIterator[Dependencies]:
    """Connect what activities need.

    Raises ``OSError`` when the trusted authorities cannot be read, ``InvalidKeyRing`` when there is
    no usable key ring and ``StorageError`` when the database refuses us.
    """
    if settings.secret_keys is None:
        raise InvalidKeyRing(
            "TRUNKLINE_SECRET_KEYS is not set: give it `id:base64` of 32 random bytes, as to the API"
        )
    secret_box = SecretBox.from_key_ring(settings.secret_keys.get_secret_value())
    identity = identity_of(settings)
    read_authorities(identity)
    url = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        database = Database(
            url, pool_size=settings.database_pool_size, application="trunkline-worker"
        )
        stack.push_async_callback(database.dispose)
        await database.check_role()
        # A call waits for its snapshot before it speaks: no other work may hold this connection.
        # Its user tries again by itself, and a ping before each use would be its most frequent query.
        reserved = Database(url, pool_size=1, application="trunkline-worker-calls", ping=False)
        stack.push_async_callback(reserved.dispose)
        yield Dependencies(
            settings=settings,
            database=database,
            resolver=Resolver(settings.nameservers()),
            guard=guard_of(settings),
            identity=identity,
            secret_box=secret_box,
            call_writer=await stack.enter_async_context(CallWriter(reserved)),
        )
