"""What we send, judged by Wireshark's dissector on what a capture of the wire holds."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sip.message import Request, parse_message
from sip.net.probe_report import ProbeOutcome, ProbeTarget
from sip.net.wire import Direction, WireRecord
from tests.strangers.conftest import Kamailios, OpenProber
from tests.support.programs import require_program

pytestmark = pytest.mark.peer

DISCARD_PORT = 9
MAY_NOT_CAPTURE = ("permission", "don't have", "not permitted")


@asynccontextmanager
async def capturing(tshark: str, address: str, file: Path) -> AsyncIterator[None]:
    """Write UDP to and from ``address`` into ``file``; begins when packets really arrive there."""
    process = await asyncio.create_subprocess_exec(
        *(tshark, "-i", "lo", "-f", f"udp and host {address}", "-w", str(file), "-P", "-l"),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        await _until_seen(process, address)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _until_seen(process: asyncio.subprocess.Process, address: str) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(b"is the capture running?", (address, DISCARD_PORT))
            try:
                line = await asyncio.wait_for(process.stdout.readline(), 0.1)
            except TimeoutError:
                continue
            if line:
                return
            complaint = (await process.stderr.read()).decode(errors="replace")
            if any(words in complaint for words in MAY_NOT_CAPTURE) and not os.environ.get("CI"):
                pytest.skip(f"this user may not capture: {complaint.strip().splitlines()[-1]}")
            pytest.fail(f"tshark ended: {complaint}")
    pytest.fail("tshark sees nothing")


async def dissected(tshark: str, file: Path) -> list[dict[str, Any]]:
    """Layers of each SIP packet in the file."""
    process = await asyncio.create_subprocess_exec(
        *(tshark, "-r", str(file), "-d", "udp.port==5060,sip", "-Y", "sip", "-T", "json"),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint
    return [packet["_source"]["layers"] for packet in json.loads(said)]


def found(tree: Any, name: str) -> list[str]:
    """Values of every field of that name, however deep."""
    if isinstance(tree, list):
        return [value for each in tree for value in found(each, name)]
    if not isinstance(tree, dict):
        return []
    values = []
    for key, value in tree.items():
        if key == name:
            values += value if isinstance(value, list) else [value]
        values += found(value, name)
    return values


async def test_wireshark_reads_our_probe_as_we_meant_it(
    kamailios: Kamailios, open_prober: OpenProber, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    kamailio, file = kamailios.open, tmp_path / "probe.pcapng"
    records: list[WireRecord] = []
    asked = ProbeTarget(kamailio.address, 5060, "udp", kamailio.domain)
    async with (
        capturing(tshark, kamailio.address, file),
        open_prober(tap=records.append) as prober,
    ):
        report = await prober.probe(asked)
        assert report.outcome is ProbeOutcome.ANSWERED
        # The capture hands over what it holds several times a second.
        await asyncio.sleep(0.5)
    sent = parse_message(next(each for each in records if each.direction is Direction.OUT).data)
    assert isinstance(sent, Request)

    request, response = await dissected(tshark, file)
    for packet in (request, response):
        assert found(packet, "_ws.expert") == []
        assert found(packet, "_ws.malformed") == []
        assert found(packet, "sip.Via.branch") == [sent.via.branch]
        assert found(packet, "sip.CSeq.seq") == [str(sent.cseq.number)]
        assert found(packet, "sip.CSeq.method") == ["OPTIONS"]
        assert found(packet, "sip.Call-ID") == [sent.call_id]
        assert found(packet, "sip.from.tag") == [sent.from_.tag]
    assert found(request, "sip.Method") == ["OPTIONS"]
    assert found(request, "sip.r-uri.host") == [kamailio.domain]
    assert found(request, "sip.r-uri.user") == []
    assert found(request, "sip.Via.sent-by.address") == [sent.via.host]
    assert found(request, "sip.Via.sent-by.port") == [str(sent.via.port)]
    assert found(response, "sip.Status-Code") == ["200"]
    assert found(response, "sip.Via.rport") == [str(sent.via.port)]
