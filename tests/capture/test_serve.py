"""The collector as a process runs it: sockets in, rows and metrics out, and an orderly end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from capture.serve import serve
from settings import Settings
from sip.hep import encode_hep
from sip.hep_packet import HepPacket
from sip.net.hep_receiver import HepBind
from sip.transports import Transport
from storage.engine import Database
from tests.api.waiting import eventually
from tests.capture.collecting import messages_of, only_row, received, rows_of, sent
from tests.domain.live_traffic import normal_call
from tests.sip.net.hep import connected, send_datagrams, tls_ends
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import TestDatabase

pytestmark = pytest.mark.postgres

KEY = "open sesame"


def packets() -> list[HepPacket]:
    """A whole call that an exporter saw just now."""
    traffic = normal_call()
    late = datetime.now(UTC) - traffic.messages[-1].at
    return [replace(each.packet, auth_key=KEY) for each in received(traffic.messages, late=late)]


@pytest.fixture
def settings(database_urls: TestDatabase, loopback: LoopbackBlock) -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Settings(
        database_url=SecretStr(database_urls.app_url),
        hep_udp=(f"{loopback.address()}:9060",),
        hep_key=SecretStr(KEY),
        hep_metrics_port=port,
    )


@asynccontextmanager
async def collecting(settings: Settings) -> AsyncIterator[str]:
    """The address of the metrics of a collector that listens; leaving the block stops it."""
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, stop))
    metrics = f"http://127.0.0.1:{settings.hep_metrics_port}/metrics"

    async def listens() -> bool:
        if serving.done():
            await serving
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(metrics)).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await eventually(listens, seconds=20)
        yield metrics
    finally:
        stop.set()
        await asyncio.wait_for(serving, 20)


async def counts_at(metrics: str) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        text = (await client.get(metrics)).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def target_of(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.hep_udp[0].partition(":")
    return host, int(port)


async def test_what_an_exporter_sends_becomes_rows_and_counts(
    settings: Settings, database: Database
) -> None:
    wrong = replace(packets()[0], auth_key="another")
    async with collecting(settings) as metrics:
        send_datagrams(target_of(settings), [*packets(), wrong, b"HEP3 no more"])

        async def written() -> bool:
            return bool(await rows_of(database))

        await eventually(written, seconds=20)
        counts = await counts_at(metrics)
    assert counts['trunkline_hep_packets_total{fate="queued"}'] == len(packets())
    assert counts['trunkline_hep_packets_total{fate="wrong_key"}'] == 1
    assert counts['trunkline_hep_packets_total{fate="malformed"}'] == 1
    assert counts['trunkline_hep_packets_total{fate="dropped_full"}'] == 0
    assert counts['trunkline_hep_messages_total{kind="unwritable"}'] == 0
    assert counts["trunkline_hep_calls"] == 1
    assert counts["trunkline_hep_waiting"] == 0
    row = await only_row(database)
    assert (row.ended, row.duration_ms) == (True, 30_000)
    messages = await messages_of(database, row)
    assert [each.data for each in messages] == sent(normal_call().messages)


async def test_what_had_arrived_is_written_before_the_process_ends(
    settings: Settings, database: Database
) -> None:
    async with collecting(settings) as metrics:
        send_datagrams(target_of(settings), packets()[:8])

        async def arrived() -> bool:
            return (await counts_at(metrics))['trunkline_hep_packets_total{fate="queued"}'] == 8

        await eventually(arrived, seconds=20)
    row = await only_row(database)
    assert (row.ended, row.messages) == (False, 8)
    assert row.state is not None


async def test_tls_takes_a_certificate_and_then_calls(
    settings: Settings, database: Database, loopback: LoopbackBlock, tmp_path: Path
) -> None:
    host = loopback.address()
    over_tls: dict[str, Any] = {"hep_udp": (), "hep_tls": (f"{host}:9061",)}
    with pytest.raises(ValueError, match="TRUNKLINE_HEP_TLS_CERTIFICATE"):
        await serve(settings.model_copy(update=over_tls), asyncio.Event())
    ends = tls_ends(tmp_path, host)
    pair = {"hep_tls_certificate": tmp_path / "hep.pem", "hep_tls_key": tmp_path / "hep.key"}
    changes = {**over_tls, **{name: str(file) for name, file in pair.items()}}
    async with collecting(settings.model_copy(update=changes)):
        bind = HepBind(Transport.TLS, host, 9061)
        async with connected(bind, ends.client) as (_, writer):
            writer.write(b"".join(map(encode_hep, packets())))

            async def written() -> bool:
                return bool(await rows_of(database))

            await eventually(written, seconds=20)
    assert (await only_row(database)).ended


async def test_a_collector_that_listens_nowhere_says_what_to_set(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"hep_udp": ()})
    with pytest.raises(ValueError, match="set TRUNKLINE_HEP_UDP"):
        await serve(nowhere, asyncio.Event())
