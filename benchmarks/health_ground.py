"""The ground that health measurements stand on: peers on loopback, Kamailio, and the CPU of processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from benchmarks.health_responder import Arrivals
from lab.certificates import KeyPair
from tests.support.loopback import claim_loopback_block
from tests.support.programs import inherited_environment, program_path

__all__ = [
    "KamailioRun",
    "Peers",
    "cpu_seconds",
    "cpu_seconds_below",
    "memory",
    "run_kamailio",
    "run_peers",
]

SPARE_FILES = 600
"""Descriptors that a process of peers keeps free."""

IN_BLOCK = 65_000
"""Addresses used of a claimed /16."""

KAMAILIO_RATE = 1_667
"""Destinations that Kamailio probes each second: the rate of 100,000 a minute."""

KAMAILIO_CONFIGURATION = """\
debug=0
log_stderror=yes
auto_aliases=no
dns=no
rev_dns=no
children=2
disable_tcp=yes
listen=udp:{address}:5060
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "dispatcher.so"
modparam("dispatcher", "list_file", "{destinations}")
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_ping_interval", 1)
modparam("dispatcher", "ds_ping_method", "OPTIONS")
modparam("tm", "fr_timer", 4000)
request_route {{ exit; }}
"""


@dataclass(frozen=True, slots=True)
class _Process:
    addresses: tuple[str, ...]
    record: Path
    process: subprocess.Popen[bytes]


class Peers:
    """Running peers; their addresses are in the order in which they were started."""

    def __init__(self, processes: Sequence[_Process]) -> None:
        self._processes = processes
        self.addresses = [address for each in processes for address in each.addresses]

    def stop(self) -> Iterator[tuple[str, float]]:
        """End the processes; each request that came as the address and the Unix time of it."""
        for each in self._processes:
            assert each.process.stdin is not None
            each.process.stdin.close()
        for each in self._processes:
            each.process.wait()
            arrivals = Arrivals.read(each.record)
            for number, at in zip(arrivals.numbers, arrivals.times, strict=True):
                yield each.addresses[number], at


@contextmanager
def run_peers(
    transport: str, count: int, folder: Path, pair: KeyPair | None = None
) -> Iterator[Peers]:
    """Peers on so many loopback addresses over udp, or over tls with a certificate."""
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # For the processes that are started from here on.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    limit = most_files - SPARE_FILES
    # Over TLS each address has a listening socket and a connection.
    most = limit if transport == "udp" else limit // 2
    processes: list[_Process] = []
    with ExitStack() as stack:
        left = count
        while left:
            block = stack.enter_context(claim_loopback_block()).network.network_address + 1
            used = 0
            while left and used < IN_BLOCK:
                size = min(most, left, IN_BLOCK - used)
                record = folder / f"arrivals-{len(processes)}"
                processes.append(_start(transport, block + used, size, record, pair))
                stack.callback(_end, processes[-1].process)
                used, left = used + size, left - size
        for each in processes:
            assert each.process.stdout is not None
            if each.process.stdout.readline() != b"ready\n":
                raise RuntimeError("a process of peers ended")
        yield Peers(processes)


def _start(
    transport: str, first: IPv4Address, count: int, record: Path, pair: KeyPair | None
) -> _Process:
    command = [sys.executable, "-m", "benchmarks.health_responder", transport, str(first)]
    command += [str(count), "--record", str(record)]
    if pair is not None:
        command += ["--certificate", str(pair.certificate), "--key", str(pair.key)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    addresses = tuple(str(first + number) for number in range(count))
    return _Process(addresses, record, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.terminate()
    process.wait()


def cpu_seconds(pid: int, *, reaped: bool = False) -> float:
    """What a process has used so far, with ``reaped`` also its children that ended (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in fields[11 : 15 if reaped else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_seconds_below(pid: int) -> float:
    """What a process and its children have used so far, those that ended included."""
    total = cpu_seconds(pid, reaped=True)
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            total += cpu_seconds(int(child))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


@dataclass(frozen=True, slots=True)
class KamailioRun:
    """Seconds of CPU that Kamailio's processes used between two Unix times."""

    used: float
    begun: float
    ended: float

    def microseconds(self, arrivals: Sequence[float]) -> float:
        """CPU of one probe; ``arrivals`` are the times of all requests that peers got."""
        probes = sum(self.begun <= at < self.ended for at in arrivals)
        return self.used / probes * 1e6


def run_kamailio(addresses: Sequence[str], folder: Path, *, seconds: float) -> KamailioRun | None:
    """Let Kamailio's dispatcher probe peers over UDP; ``None`` where it is not installed.

    It probes as many each second as the largest monitor does.
    """
    program = program_path("kamailio")
    if program is None:
        return None
    asked = addresses[:KAMAILIO_RATE]
    destinations = folder / "dispatcher.list"
    destinations.write_text("".join(f"1 sip:{each}:5060\n" for each in asked))
    with claim_loopback_block() as block:
        configuration = folder / "kamailio.cfg"
        configuration.write_text(
            KAMAILIO_CONFIGURATION.format(address=block.address(), destinations=destinations)
        )
        command = [program, "-DD", "-f", str(configuration), "-m", "256", "-M", "16"]
        command += ["-Y", str(folder), "-P", str(folder / "kamailio.pid"), "-w", str(folder)]
        with (folder / "kamailio.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env=inherited_environment(folder)
            )
        try:
            time.sleep(3)
            if process.poll() is not None:
                raise RuntimeError(f"kamailio ended: {(folder / 'kamailio.log').read_text()}")
            before, begun = cpu_seconds_below(process.pid), time.time()
            time.sleep(seconds)
            used, ended = cpu_seconds_below(process.pid) - before, time.time()
        finally:
            process.terminate()
            process.wait()
    return KamailioRun(used, begun, ended)
