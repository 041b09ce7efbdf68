"""Health checks over UDP: few sockets, all peers.

The kernel's error queue tells a closed port from a silent peer. Each source address has some
sockets, because the kernel's receive buffer of one holds the replies of some hundred peers only.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from sip.errors import LocalProtocolError
from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.net.health_probe import (
    PROBE_SECONDS,
    ProbeEnd,
    ProbeJob,
    RunningProbe,
    end_of_errno,
)
from sip.net.health_request import RequestForms
from sip.net.health_table import ProbeTable
from sip.net.health_timeline import Timeline
from sip.net.udp import UdpSocket
from sip.net.wire import source_address
from sip.probe_message import OptionsTemplate

__all__ = ["UdpProbes"]

SOCKETS_OF_SOURCE: Final = 8

MAX_PLACES: Final = 262_144
"""Targets whose route and request are remembered."""

MAX_SOURCES: Final = 32
"""Source addresses; a host has as many as it has interfaces that lead to peers."""

# RFC 3261 section 17.1.2.2: T1, and doubled each time, so far as a probe lasts.
REPEATED_AFTER: Final = (0.5, 1.0, 2.0)

_PASSING: Final = frozenset({errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.EINTR})

Address = tuple[str, int]


@dataclass(slots=True)
class _Place:
    """How a target is reached and asked."""

    job: ProbeJob
    socket: UdpSocket
    remote: Address
    template: OptionsTemplate
    form: tuple[bytes, bytes]


class UdpProbe(RunningProbe):
    """A probe and where its datagrams go."""

    __slots__ = ("remote", "socket")

    def __init__(self, job: ProbeJob, sock: UdpSocket, remote: Address) -> None:
        super().__init__(job)
        self.socket = sock
        self.remote = remote


class UdpProbes:
    """Sends probes over UDP and ends each once, through the table."""

    def __init__(self, table: ProbeTable, guard: AddressGuard, forms: RequestForms) -> None:
        self._table = table
        self._guard = guard
        self._forms = forms
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[str, list[UdpSocket]] = {}
        self._next_socket = 0
        self._places: dict[str, _Place] = {}
        self._by_remote: dict[Address, list[UdpProbe]] = {}
        waits: list[tuple[float, Callable[[UdpProbe], None]]] = [
            (seconds, self._repeat) for seconds in REPEATED_AFTER
        ]
        waits.append((PROBE_SECONDS - sum(REPEATED_AFTER), self._expire))
        self._timeline = Timeline(waits)

    def probe(self, job: ProbeJob) -> None:
        """Ask once, and again until a response comes or time is over."""
        place = self._places.get(job.key)
        if place is None or (place.job is not job and place.job != job):
            try:
                place = self._find(job)
            except TargetNotAllowed as error:
                self._fail_soon(job, ProbeEnd.BLOCKED, error.reason)
                return
            except LocalProtocolError as error:
                self._fail_soon(job, ProbeEnd.BLOCKED, str(error))
                return
            except OSError as error:
                self._fail_soon(job, *end_of_errno(error.errno))
                return
        probe = UdpProbe(job, place.socket, place.remote)
        request = self._table.send(probe, place.template, place.form)
        self._by_remote.setdefault(place.remote, []).append(probe)
        place.socket.send(request, place.remote)
        self._timeline.begin(probe)

    def forget(self, key: str) -> None:
        """Drop what is remembered of a target."""
        self._places.pop(key, None)

    def close(self) -> None:
        """Close the sockets; probes that run are forgotten."""
        self._timeline.close()
        for sockets in self._sockets.values():
            for sock in sockets:
                sock.close()

    def _find(self, job: ProbeJob) -> _Place:
        """Raises ``TargetNotAllowed``, ``LocalProtocolError`` and ``OSError``."""
        self._guard.check(job.address)
        form = self._forms.form(job)
        # As the kernel writes it where datagrams come from.
        remote = (str(ip_address(job.address)), job.port)
        sockets = self._sockets_of(source_address(*remote))
        self._next_socket += 1
        sock = sockets[self._next_socket % len(sockets)]
        template = self._forms.template(job.transport, sock.local, job.from_uri)
        place = _Place(job, sock, remote, template, form)
        if len(self._places) >= MAX_PLACES:
            self._places.clear()
        self._places[job.key] = place
        return place

    def _sockets_of(self, source: str) -> list[UdpSocket]:
        sockets = self._sockets.get(source)
        if sockets is None:
            if len(self._sockets) >= MAX_SOURCES:
                raise OSError(errno.ENFILE, "too many source addresses")
            sockets = [
                UdpSocket.bind((source, 0), self._datagram, self._refused)
                for _ in range(SOCKETS_OF_SOURCE)
            ]
            self._sockets[source] = sockets
        return sockets

    def _datagram(self, sock: UdpSocket, data: bytes, remote: Address) -> None:
        heard = self._table.heard(data)
        if heard is not None:
            probe = heard[0]
            assert isinstance(probe, UdpProbe)
            self._leave(probe)
            self._table.answered(heard, data, None if remote == probe.remote else remote)
        elif remote in self._by_remote:
            # A response that could not be read was noted by its branch.
            noise = self._table.noise(data)
            if noise is not None:
                for probe in self._by_remote[remote]:
                    probe.was_answered_oddly(data, noise)

    def _refused(self, sock: UdpSocket, remote: Address, number: int) -> None:
        if number in _PASSING:
            # This host was busy: the datagram is lost, as datagrams may be.
            return
        for probe in self._by_remote.pop(remote, ()):
            self._places.pop(probe.job.key, None)
            self._table.failed(probe, *end_of_errno(number))

    def _repeat(self, probe: UdpProbe) -> None:
        probe.socket.send(probe.request, probe.remote)
        self._table.counters.retransmissions += 1

    def _expire(self, probe: UdpProbe) -> None:
        # The route may be why, and routes change.
        self._places.pop(probe.job.key, None)
        self._leave(probe)
        self._table.timed_out(probe)

    def _leave(self, probe: UdpProbe) -> None:
        probes = self._by_remote.get(probe.remote)
        if probes is None:
            return
        if len(probes) == 1:
            del self._by_remote[probe.remote]
        else:
            probes.remove(probe)

    def _fail_soon(self, job: ProbeJob, end: ProbeEnd, detail: str) -> None:
        self._loop.call_soon(self._table.failed, RunningProbe(job), end, detail)
