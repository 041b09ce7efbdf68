"""The collector process: ``trunkline hep``."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack

import uvloop
from prometheus_client import CollectorRegistry, start_http_server

from capture.collector import Collector
from capture.metrics import CollectorMetrics
from capture.owners import Owners
from capture.writing import LiveWriter
from domain.live_call_placing import CallLimits
from observability.logs import configure_logging, get_logger
from settings import Settings, get_settings, split_server
from settings.traffic import HEP_PORT
from sip.net.hep_receiver import HepBind, HepReceiver
from sip.transports import Transport
from storage.engine import Database

__all__ = ["main", "serve"]

_log = get_logger("trunkline.hep")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Collect until ``stop`` is set; what has arrived by then is written.

    Raises ``OSError`` when an address cannot be bound, ``ValueError`` when there is nowhere to listen
    or a certificate is missing, ``StorageError`` when the database refuses us.
    """
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url.get_secret_value(), application="trunkline-hep")
        stack.push_async_callback(database.dispose)
        await database.check_role()
        key = settings.hep_key
        receiver = await HepReceiver.open(
            _binds(settings),
            tls=_tls(settings),
            key=None if key is None else key.get_secret_value(),
        )
        stack.push_async_callback(receiver.close)
        writer = LiveWriter(database)
        limits = CallLimits(max_calls=settings.hep_max_calls)
        collector = Collector(receiver, Owners(database), writer, limits=limits)
        registry = CollectorRegistry()
        registry.register(CollectorMetrics(receiver, collector, writer))
        server, thread = start_http_server(settings.hep_metrics_port, "127.0.0.1", registry)
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        _log.info(
            "taking HEP",
            listening=[
                f"{bind.transport.value} {bind.host} {bind.port}" for bind in receiver.listening
            ],
            metrics=f"http://127.0.0.1:{server.server_port}/metrics",
        )
        collecting = asyncio.create_task(collector.run(stop), name="collector")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({collecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await receiver.close()
        # What waits is written; a supervisor ends a process whose database does not come back.
        await collecting


def _binds(settings: Settings) -> list[HepBind]:
    binds = list(_each_bind(settings))
    if not binds:
        raise ValueError(
            "there is nowhere to listen: set TRUNKLINE_HEP_UDP, TRUNKLINE_HEP_TCP or TRUNKLINE_HEP_TLS"
        )
    return binds


def _each_bind(settings: Settings) -> Iterator[HepBind]:
    for transport, addresses in (
        (Transport.UDP, settings.hep_udp),
        (Transport.TCP, settings.hep_tcp),
        (Transport.TLS, settings.hep_tls),
    ):
        for address in addresses:
            host, port = split_server(address, default_port=HEP_PORT)
            yield HepBind(transport, host, port)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.hep_tls:
        return None
    if settings.hep_tls_certificate is None:
        raise ValueError("HEP over TLS needs TRUNKLINE_HEP_TLS_CERTIFICATE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.hep_tls_certificate, settings.hep_tls_key)
    return context


async def _until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


def main() -> None:
    """Entry point of the process; SIGINT and SIGTERM let it write what it has."""
    settings = get_settings()
    configure_logging(level=settings.log_level, log_format=settings.log_format)
    uvloop.run(_until_signalled(settings))


if __name__ == "__main__":
    main()
