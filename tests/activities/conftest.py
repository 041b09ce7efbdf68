"""A real database, a real DNS server and real SIP responders around the activities."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest
from pydantic import SecretStr

from activities.alert_channels import AlertChannels
from activities.call_writer import CallWriter
from activities.dependencies import Dependencies
from activities.health_engine import HealthEngine
from activities.port_desk import open_port_desk
from activities.probing import guard_of, identity_of
from activities.traffic_export import TrafficExport
from observability.logs import configure_logging
from settings import Settings
from sip.build import response_to
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.net.stack import SipStack
from sip.transaction import RequestReceived
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from tests.activities.alert_desk import AlertDesk
from tests.activities.health_stage import Peer, an_engine
from tests.channels import receivers
from tests.channels.receivers import Receiver
from tests.storage.alert_rows import name_recipients
from tests.support.dns_server import DnsServer
from tests.support.loopback import LoopbackBlock


class Responder:
    """Answers OPTIONS with 200 and counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def handle(self, stack: SipStack, event: RequestReceived) -> None:
        self.asked += 1
        headers = (("Server", "Asterisk PBX 20.9.2"), ("Allow", "INVITE, ACK, BYE, OPTIONS"))
        stack.respond(event.key, response_to(event.request, 200, to_tag="t", headers=headers))


@asynccontextmanager
async def answering(address: str, port: int = 5060) -> AsyncIterator[Responder]:
    """A SIP server over UDP and TCP on one port of an address."""
    responder = Responder()
    async with SipStack(guard=AddressGuard(), handler=responder.handle) as stack:
        stack.transport.listen_udp((address, port))
        await stack.transport.listen_stream((address, port))
        yield responder


@contextmanager
def silent(address: str, port: int = 5080) -> Iterator[None]:
    """A UDP port that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        yield


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with DnsServer() as server:
        yield server


@pytest.fixture
async def call_writer(database: Database) -> AsyncIterator[CallWriter]:
    """The writer of a worker's calls."""
    async with CallWriter(database) as writer:
        yield writer


@pytest.fixture
async def media_process() -> AsyncIterator[MediaProcess]:
    """The media process of a worker; the first call starts it."""
    process = MediaProcess()
    yield process
    await process.close()


def health_engine(
    settings: Settings, database: Database, dns: DnsServer, secret_box: SecretBox
) -> HealthEngine:
    """An engine that has not been opened."""
    return HealthEngine(
        database=database,
        guard=guard_of(settings),
        identity=identity_of(settings),
        resolver=Resolver([dns.address]),
        secret_box=secret_box,
        holder="test",
        interval=timedelta(seconds=settings.health_interval_seconds),
    )


@pytest.fixture
def settings(loopback: LoopbackBlock) -> Settings:
    """Settings with this run's block of addresses allowed."""
    return Settings(
        database_url=SecretStr("postgresql://unused"),
        allowed_networks=(ip_network(str(loopback.network)),),
    )


@pytest.fixture
def dependencies(
    database: Database,
    dns: DnsServer,
    settings: Settings,
    call_writer: CallWriter,
    media_process: MediaProcess,
) -> Dependencies:
    """What a worker would have, with this run's block of addresses allowed."""
    secret_box = SecretBox.from_key_ring(generate_key("test"))
    return Dependencies(
        settings=settings,
        database=database,
        resolver=Resolver([dns.address]),
        guard=guard_of(settings),
        identity=identity_of(settings),
        secret_box=secret_box,
        call_writer=call_writer,
        media_process=media_process,
        health=health_engine(settings, database, dns, secret_box),
        alert_channels=AlertChannels(settings, guard_of(settings), secret_box),
        port_desk=open_port_desk(settings, database, secret_box),
        traffic_export=TrafficExport(),
    )


@pytest.fixture(scope="module")
def box() -> SecretBox:
    return SecretBox.from_key_ring(generate_key("a"))


@pytest.fixture
def guard(loopback: LoopbackBlock) -> AddressGuard:
    return AddressGuard(allowed=(loopback.network,))


@pytest.fixture
async def engine(
    database: Database, guard: AddressGuard, box: SecretBox
) -> AsyncIterator[HealthEngine]:
    async with an_engine(database, guard, box) as opened:
        yield opened


@pytest.fixture
async def peer(loopback: LoopbackBlock) -> AsyncIterator[Peer]:
    async with Peer(loopback.address()) as running:
        yield running


@pytest.fixture
async def hook(loopback: LoopbackBlock) -> AsyncIterator[Receiver]:
    async with receivers.receiver(loopback.address(), receivers.answering(200)) as opened:
        yield opened


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the product logs."""
    stream = io.StringIO()
    configure_logging(level="debug", stream=stream)
    yield stream
    configure_logging()


@pytest.fixture
async def hooked(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox, hook: Receiver
) -> AlertDesk:
    """Alerts go to one webhook, and are signed."""
    desk = await AlertDesk.of(database, settings, guard, box, {"webhook": True})
    await name_recipients(database, desk.org_id, webhooks=[{"id": "whk_1", "url": hook.url()}])
    await desk.sign()
    return desk
