"""Wall time of a discovery, beside general scanners on the same host and ports.

The host answers OPTIONS on UDP 5060 (a SIPp) and is silent on everything else of 5060, 5061 and
5080: UDP is taken and never answered, TCP connections are dropped as by a firewall. What matters to
a person is when the answer is on the screen, and then when the search is over.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import uvloop

from activities.probing import open_prober, probe_all
from benchmarks.report import milliseconds, print_machine, print_table
from domain.attempts import AttemptOutcome
from domain.discovery_plan import ResolutionFacts, plan_discovery
from domain.recommendation import recommend
from lab.raw import FilteredPort
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from tests.strangers.silence import silent_ports
from tests.support.dns_server import DnsServer
from tests.support.loopback import claim_loopback_block
from tests.support.programs import program_path
from tests.support.sipp import Scenario, run_sipp_uas

PORTS = (5060, 5061, 5080)
NAME = "pbx.example.com"
GUARD = AddressGuard(allowed=(IPv4Network("127.0.0.0/8"),))
IDENTITY = ProbeIdentity(user_agent="Trunkline/0.1 (+https://trunkline.example/probing)")
SCANNER_LIMIT = 180.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """Seconds from the start to the answer and to the end."""

    answered: float
    ended: float
    attempts: int


@asynccontextmanager
async def otherwise_silent(address: str) -> AsyncIterator[None]:
    """Hold every port of the host but UDP 5060."""
    with silent_ports(address, [("udp", port) for port in PORTS if port != 5060]):
        filtered = [FilteredPort((address, port)) for port in PORTS]
        try:
            yield
        finally:
            for port in filtered:
                await port.close()


async def ours(dns: DnsServer) -> Discovered:
    """One discovery through resolver, plan and prober."""
    begun = time.perf_counter()
    resolution = await Resolver([dns.address]).survey(NAME)
    plan = plan_discovery(ResolutionFacts.model_validate(resolution))
    attempts: list[AttemptOutcome] = []
    answered: list[float] = []

    def ended(attempt: AttemptOutcome) -> None:
        attempts.append(attempt)
        if attempt.answered:
            answered.append(time.perf_counter() - begun)

    async with open_prober(GUARD, IDENTITY) as prober:
        await probe_all(prober, plan.candidates, ended)
    best = recommend(attempts)
    assert best is not None
    assert (best.transport, best.port) == ("udp", 5060)
    return Discovered(answered[0], time.perf_counter() - begun, len(attempts))


async def scanner(command: Sequence[str]) -> tuple[float, str]:
    """Seconds that a program ran, and what it said."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(SCANNER_LIMIT):
            said, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return time.perf_counter() - begun, (said + complaints).decode(errors="replace")


async def run() -> None:
    """Measure and print."""
    with claim_loopback_block() as block, tempfile.TemporaryDirectory() as folder:
        address = block.address()
        async with (
            run_sipp_uas(Scenario.WITH_SDP, "udp", address, Path(folder)),
            DnsServer({(NAME, "A"): [address]}, host=block.address()) as dns,
            otherwise_silent(address),
        ):
            found = await ours(dns)
            rows = [
                [
                    f"trunkline, {found.attempts} candidates, with DNS",
                    milliseconds(found.answered),
                    f"{found.ended:.1f} s",
                    "UDP 5060, its system, codecs, methods",
                ],
                await _nmap(address),
                await _svmap(address),
            ]
    print_table(
        "Discovery of a host that answers on one of three ports",
        ["tool", "first answer", "wall time", "found"],
        rows,
    )


async def _nmap(address: str) -> list[str]:
    program, name = program_path("nmap"), "nmap -sU -sT -sV"
    if program is None:
        return [name, "", "", "not installed"]
    ports = ",".join(map(str, PORTS))
    seconds, said = await scanner((program, "-n", "-Pn", "-sU", "-sT", "-sV", "-p", ports, address))
    found = [line for line in said.splitlines() if line.startswith("5060/udp")]
    return [
        name,
        "at the end",
        f"{seconds:.1f} s",
        " ".join(found[0].split()) if found else "nothing",
    ]


async def _svmap(address: str) -> list[str]:
    program = program_path("sipvicious_svmap") or program_path("svmap")
    if program is None:
        return ["sipvicious svmap (UDP only)", "", "", "not installed"]
    ports = ",".join(map(str, PORTS))
    seconds, said = await scanner((program, "-p", ports, address))
    found = "UDP 5060, its User-Agent" if f"{address}:5060" in said else "nothing"
    return ["sipvicious svmap (UDP only)", "at the end", f"{seconds:.1f} s", found]


def main() -> None:
    """Entry of the measurement."""
    uvloop.run(run())


if __name__ == "__main__":
    print_machine()
    main()
