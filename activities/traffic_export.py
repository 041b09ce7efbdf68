"""Our own SIP messages for an operator's collector, such as Homer."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack

from settings import Settings, split_server
from settings.traffic import HEP_PORT
from sip.capture import CapturedMessage
from sip.hep_packet import hep_of
from sip.net.guard import AddressGuard
from sip.net.hep_exporter import HepCollector, HepExporter
from sip.net.wire import WireRecord
from sip.transports import Transport

__all__ = ["Export", "TrafficExport", "open_export"]

Export = Callable[[WireRecord], None]
"""What is called with each message on the wire; it neither waits nor fails."""


class TrafficExport:
    """Sends what it is given, credentials and keys covered; without a collector it drops it."""

    def __init__(self, exporter: HepExporter | None = None, *, probes: bool = False) -> None:
        self._exporter = exporter
        self._probes = probes

    def of_call(self, call_id: str) -> Export:
        """For the messages of one test call, whatever their Call-IDs."""
        return self._export(call_id)

    def of_discovery(self, discovery_id: str) -> Export:
        """For the probes of a discovery, where they are wanted."""
        return self._export(discovery_id) if self._probes else _nothing

    def _export(self, correlation_id: str) -> Export:
        exporter = self._exporter
        if exporter is None:
            return _nothing

        def export(record: WireRecord) -> None:
            message = CapturedMessage.on_flow(
                record.at, record.direction.value, record.flow, record.data
            )
            exporter.export(hep_of(message.masked(), correlation_id=correlation_id))

        return export


def open_export(settings: Settings, stack: AsyncExitStack) -> TrafficExport:
    """The export as the settings have it, until the stack is closed. Raises ``OSError`` when there is no
    route to the collector."""
    if settings.hep_export is None:
        return TrafficExport()
    word, _, place = settings.hep_export.partition(":")
    transport, (address, port) = Transport(word), split_server(place, default_port=HEP_PORT)
    key = settings.hep_export_key
    collector = HepCollector(
        transport=transport,
        address=address,
        port=port,
        server_name=settings.hep_export_name,
        key=None if key is None else key.get_secret_value(),
        capture_id=settings.hep_export_id,
    )
    # The operator named this address, so nothing has to permit it besides.
    guard = AddressGuard(allowed=(ipaddress.ip_network(address),))
    tls = ssl.create_default_context(cafile=settings.tls_ca_file)
    exporter = HepExporter.open(collector, guard, tls=tls)
    stack.push_async_callback(exporter.close)
    return TrafficExport(exporter, probes=settings.hep_export_probes)


def _nothing(_record: WireRecord) -> None:
    return
