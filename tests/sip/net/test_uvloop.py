"""The transport on uvloop, which the worker runs and which differs from asyncio's own loop.

It stops watching a descriptor at its first error, its TLS transport is none of asyncio's classes,
and its clock stands still within a turn.
"""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Network
from pathlib import Path

import uvloop

from lab import Lab
from sip.net.probe_report import ProbeOutcome, ProbeReport
from tests.sip.net.probing import prober_of, target_of
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock

PROBES = {
    ("refusing", "udp", 5060): ProbeOutcome.REFUSED,
    ("refusing", "tcp", 5060): ProbeOutcome.REFUSED,
    ("slow", "udp", 5060): ProbeOutcome.ANSWERED,
    ("kamailio", "tcp", 5060): ProbeOutcome.ANSWERED,
    ("kamailio", "tls", 5061): ProbeOutcome.ANSWERED,
    ("wrong-name", "tls", 5061): ProbeOutcome.ANSWERED,
    ("old-tls", "tls", 5061): ProbeOutcome.TLS_OLD_VERSION,
    ("client-certificate", "tls", 5061): ProbeOutcome.TLS_CLIENT_CERTIFICATE,
    ("garbage", "tcp", 5060): ProbeOutcome.NOT_SIP,
    ("garbage", "tls", 5061): ProbeOutcome.NOT_SIP,
    ("hanging-up", "tcp", 5060): ProbeOutcome.CLOSED,
    ("filtered", "tcp", 5060): ProbeOutcome.CONNECT_TIMEOUT,
    ("silent", "tls", 5061): ProbeOutcome.TLS_SILENT,
}


async def test_probes_come_out_the_same(loopback: LoopbackBlock, tmp_path: Path) -> None:
    network = new_lab_network(loopback)
    reports, errors = await asyncio.to_thread(uvloop.run, probed(network, tmp_path))
    assert {target: report.outcome for target, report in reports.items()} == PROBES
    assert errors == []
    tls = reports["kamailio", "tls", 5061].tls
    assert tls is not None
    assert tls.verifies
    quick = reports["kamailio", "tcp", 5060].response_time_ms
    assert quick is not None
    assert quick > 0


async def probed(
    network: IPv4Network, folder: Path
) -> tuple[dict[tuple[str, str, int], ProbeReport], list[str]]:
    """Probe everything at once, in the loop that this runs in, and note what the loop caught."""
    errors: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: errors.append(repr(context)))
    async with Lab(network, folder) as lab, prober_of(lab) as prober:
        reports = await asyncio.gather(
            *(prober.probe(target_of(lab, *target), seconds=2.5) for target in PROBES)
        )
        # The refusals above came over the socket that has to hear this answer.
        again = await prober.probe(target_of(lab, "asterisk", "udp", 5060), seconds=2.5)
        assert again.outcome is ProbeOutcome.ANSWERED
    return dict(zip(PROBES, reports, strict=True)), errors
