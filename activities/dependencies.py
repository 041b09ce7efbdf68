"""What activities need of the outside world, built once per worker."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from activities.alert_channels import AlertChannels
from activities.call_writer import CallWriter
from activities.health_engine import HealthEngine
from activities.port_desk import PortDesk, open_port_desk
from activities.probing import guard_of, identity_of, read_authorities
from activities.traffic_export import TrafficExport, open_export
from settings import Settings
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from storage.engine import Database
from storage.secret_box import InvalidKeyRing, SecretBox

__all__ = ["Dependencies", "open_dependencies"]


HEALTH_CONNECTIONS: Final = 4
"""Changes of state, samples, looked-up names, and shards that are being loaded."""


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
    media_process: MediaProcess
    health: HealthEngine
    alert_channels: AlertChannels
    port_desk: PortDesk
    traffic_export: TrafficExport


@asynccontextmanager
async def open_dependencies(settings: Settings) -> AsyncIterator[Dependencies]:
    """Connect what activities need.

    Raises ``OSError`` when the trusted authorities cannot be read, ``InvalidKeyRing`` when there is
    no usable key ring, ``StorageError`` when the database refuses us, and ``InvalidCarriers`` or
    ``InvalidTemplate`` for a file of porting that cannot be used.
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
        # Nor may watching: a change of state waits for nobody, and tries again by itself.
        watching = Database(
            url, pool_size=HEALTH_CONNECTIONS, application="trunkline-worker-health", ping=False
        )
        stack.push_async_callback(watching.dispose)
        desk = open_port_desk(settings, database, secret_box)
        stack.push_async_callback(desk.documents.close)
        guard, resolver = guard_of(settings), Resolver(settings.nameservers())
        yield Dependencies(
            settings=settings,
            database=database,
            resolver=resolver,
            guard=guard,
            identity=identity,
            secret_box=secret_box,
            call_writer=await stack.enter_async_context(CallWriter(reserved)),
            media_process=await stack.enter_async_context(MediaProcess()),
            health=await stack.enter_async_context(
                HealthEngine(
                    database=watching,
                    guard=guard,
                    identity=identity,
                    resolver=resolver,
                    secret_box=secret_box,
                    holder=f"{socket.gethostname()}:{os.getpid()}",
                    interval=timedelta(seconds=settings.health_interval_seconds),
                )
            ),
            alert_channels=AlertChannels(settings, guard, secret_box),
            port_desk=desk,
            traffic_export=open_export(settings, stack),
        )
