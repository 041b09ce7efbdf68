"""What an operator's collector gets of our own traffic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr, ValidationError

from activities.traffic_export import TrafficExport, open_export
from settings import Settings
from sip.net.hep_receiver import HepBind, HepReceiver
from sip.net.wire import Direction, WireRecord
from sip.transaction import Flow
from sip.transports import Transport
from tests.domain.traces import RESPONSE_DIGEST, request
from tests.support.loopback import LoopbackBlock

KEY = "between us"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = f'Authorization: Digest username="acme", realm="x", nonce="n", uri="sip:x", response="{RESPONSE_DIGEST}"'
FLOW = Flow(transport="TLS", local=("192.0.2.10", 40404), remote=("203.0.113.5", 5061))


def record(data: bytes, direction: Direction = Direction.OUT) -> WireRecord:
    return WireRecord(AT, direction, FLOW, data)


@pytest.fixture
async def homer(loopback: LoopbackBlock) -> AsyncIterator[HepReceiver]:
    """A collector that asks for the key."""
    bind = HepBind(Transport.UDP, loopback.address(), 0)
    async with await HepReceiver.open([bind], key=KEY) as receiver:
        yield receiver


def settings_for(homer: HepReceiver, *, hep_export_probes: bool = False) -> Settings:
    [bind] = homer.listening
    return Settings(
        hep_export=f"udp:{bind.host}:{bind.port}",
        hep_export_key=SecretStr(KEY),
        hep_export_probes=hep_export_probes,
    )


async def test_messages_of_a_call_arrive_under_one_correlation_without_credentials(
    homer: HepReceiver,
) -> None:
    async with AsyncExitStack() as stack:
        export = open_export(settings_for(homer), stack).of_call("tc_1")
        export(record(request("INVITE", headers=[SECRET])))
        [got] = await homer.batch(within=5)
    packet = got.packet
    assert packet.correlation_id == "tc_1"
    assert (packet.transport, packet.at) == ("TLS", AT)
    assert (packet.source, packet.destination) == (FLOW.local, FLOW.remote)
    assert packet.payload.startswith(b"INVITE ")
    assert RESPONSE_DIGEST.encode() not in packet.payload


async def test_what_came_in_has_the_peer_as_its_sender(homer: HepReceiver) -> None:
    async with AsyncExitStack() as stack:
        export = open_export(settings_for(homer), stack).of_call("tc_1")
        export(record(request("BYE"), Direction.IN))
        [got] = await homer.batch(within=5)
    assert (got.packet.source, got.packet.destination) == (FLOW.remote, FLOW.local)


@pytest.mark.parametrize("probes", [True, False])
async def test_probes_are_exported_where_they_are_wanted(homer: HepReceiver, probes: bool) -> None:
    async with AsyncExitStack() as stack:
        export = open_export(settings_for(homer, hep_export_probes=probes), stack)
        export.of_discovery("disc_1")(record(request("OPTIONS")))
        export.of_call("tc_1")(record(request("INVITE")))
        seen = [await homer.batch(limit=1, within=5) for _ in range(1 + probes)]
    told = [got.packet.correlation_id for [got] in seen]
    assert told == (["disc_1", "tc_1"] if probes else ["tc_1"])


def test_without_a_collector_nothing_happens() -> None:
    TrafficExport(probes=True).of_discovery("disc_1")(record(request("OPTIONS")))


@pytest.mark.parametrize("place", ["192.0.2.9:9060", "udp:homer.example.com", "udp:192.0.2.9:0"])
def test_a_place_that_cannot_be_is_refused(place: str) -> None:
    with pytest.raises(ValidationError, match="hep_export"):
        Settings(hep_export=place)
