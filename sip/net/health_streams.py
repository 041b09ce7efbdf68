"""Health checks over TCP and TLS: one connection a peer, kept from probe to probe.

A connection is shared by all who are asked at one address in one way. Peers close connections on
which nothing is said: a probe that meets such a close is sent again over a new connection, once,
and that is no miss. A close that comes by itself is told, because a peer that dies does that too.
"""

from __future__ import annotations

import asyncio
import resource
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from sip.errors import LocalProtocolError
from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.net.health_connection import ConnectFailed, Peer, open_connection
from sip.net.health_kept import KeptConnection, StreamProbe
from sip.net.health_probe import PROBE_SECONDS, ProbeEnd, ProbeJob, RunningProbe
from sip.net.health_request import RequestForms
from sip.net.health_table import ProbeTable
from sip.net.health_timeline import Timeline
from sip.net.streams import StreamConnection
from sip.net.tls import TlsProfile
from sip.probe_message import OptionsTemplate
from sip.transaction import Flow
from sip.transports import Transport

__all__ = ["StreamProbes"]

MAX_CONNECTING: Final = 512
"""Connections that are being opened at a time: a handshake costs a millisecond of this process, and
a peer that leaves it half done holds its place for four seconds."""

LAST_WORD: Final = 0.2
"""Seconds by which connecting ends before the probe that waits for it, to tell it why."""

MAX_QUEUED_SECONDS: Final = 30.0
"""How long a probe waits for such a place. Its four seconds begin behind that: being busy here is no
fault of the peer."""

MAX_KEPT: Final = 32_768
"""Connections kept, or half of the process's file descriptors if that is less; more are closed after
each probe."""


@dataclass(frozen=True, slots=True)
class _Target:
    """How a target is reached and asked."""

    job: ProbeJob
    connection: KeptConnection
    form: tuple[bytes, bytes]


class StreamProbes:
    """Sends probes over connections and ends each once, through the table."""

    def __init__(
        self,
        table: ProbeTable,
        guard: AddressGuard,
        forms: RequestForms,
        on_closed: Callable[[str], None],
        *,
        ca_file: str | None,
    ) -> None:
        self.table = table
        self._on_closed = on_closed
        self._guard = guard
        self._forms = forms
        self._ca_file = ca_file
        self._loop = asyncio.get_running_loop()
        self._peers: dict[Peer, KeptConnection] = {}
        self._targets: dict[str, _Target] = {}
        self._queue: deque[KeptConnection] = deque()
        self._connecting: set[asyncio.Task[None]] = set()
        self._open: set[StreamConnection] = set()
        self._timeline = Timeline([(PROBE_SECONDS, self._expire)])
        self._waiting_room = Timeline([(MAX_QUEUED_SECONDS, self._never_begun)])
        self._max_kept = min(MAX_KEPT, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._next_number = 1
        self._closed = False

    def probe(self, job: ProbeJob) -> None:
        """Ask over the peer's connection, which is opened when there is none."""
        target = self._targets.get(job.key)
        if target is None or (target.job is not job and target.job != job):
            try:
                target = self._find(job)
            except TargetNotAllowed as error:
                self._refuse_soon(job, error.reason)
                return
            except LocalProtocolError as error:
                self._refuse_soon(job, str(error))
                return
        target.connection.ask(StreamProbe(job, target.connection, target.form))

    def forget(self, key: str) -> None:
        """Drop a target; a connection over which nobody is asked any more is closed."""
        target = self._targets.pop(key, None)
        if target is not None:
            target.connection.leave(key)

    async def close(self) -> None:
        """Close the connections; probes that run are forgotten."""
        self._closed = True
        self._timeline.close()
        self._waiting_room.close()
        tasks = tuple(self._connecting)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        gone = [connection.lost for connection in self._open]
        for connection in tuple(self._open):
            connection.abort("closed")
        if gone:
            await asyncio.wait(gone)

    def template(self, peer: Peer, flow: Flow, from_uri: str | None) -> OptionsTemplate:
        """The template of requests over a connection."""
        transport = Transport.TCP if peer.tls is None else Transport.TLS
        return self._forms.new_template(transport, flow.local, from_uri)

    def time(self, probe: StreamProbe) -> None:
        """Let a probe's four seconds begin, unless they have."""
        if not probe.timed:
            probe.timed = True
            self._timeline.begin(probe)

    def await_place(self, probe: StreamProbe) -> None:
        """Limit how long a probe waits for its four seconds to begin."""
        if not probe.timed:
            self._waiting_room.begin(probe)

    def connect(self, kept: KeptConnection) -> None:
        """Open a connection as soon as there is a place."""
        self._queue.append(kept)
        self._connect_next()

    def kept(self, connection: StreamConnection) -> None:
        """A connection is there; it is remembered until it is gone."""
        self._open.add(connection)
        connection.lost.add_done_callback(lambda _: self._open.discard(connection))

    def closed_by_peer(self, key: str) -> None:
        """The connection of a target of which nothing was asked is gone."""
        if not self._closed:
            self._on_closed(key)

    def crowded(self) -> bool:
        """Whether no further connection should be kept."""
        return len(self._open) > self._max_kept

    def unused(self, kept: KeptConnection) -> None:
        """Nobody is asked over the connection any more."""
        if self._peers.get(kept.peer) is kept:
            del self._peers[kept.peer]

    def _find(self, job: ProbeJob) -> _Target:
        """Raises ``TargetNotAllowed`` and ``LocalProtocolError``."""
        self._guard.check(job.address)
        form = self._forms.form(job)
        tls = None
        if job.transport is Transport.TLS:
            tls = job.tls or TlsProfile(server_name=job.domain, ca_file=self._ca_file)
        remote = (str(ip_address(job.address)), job.port)
        peer = Peer(remote, tls, job.exact_tls_names and tls is not None)
        self.forget(job.key)
        connection = self._peers.get(peer)
        if connection is None:
            connection = self._peers[peer] = KeptConnection(self, peer)
        connection.join(job.key)
        target = self._targets[job.key] = _Target(job, connection, form)
        return target

    def _connect_next(self) -> None:
        while self._queue and len(self._connecting) < MAX_CONNECTING and not self._closed:
            kept = self._queue.popleft()
            if kept.begin():
                task = self._loop.create_task(self._connect(kept), name="health-connect")
                self._connecting.add(task)
                task.add_done_callback(self._connected)

    def _connected(self, task: asyncio.Task[None]) -> None:
        self._connecting.discard(task)
        self._connect_next()
        if not task.cancelled():
            task.result()

    async def _connect(self, kept: KeptConnection) -> None:
        self.table.counters.connects += 1
        number = self._next_number
        self._next_number += 1
        end, detail = ProbeEnd.CONNECT_FAILED, "given up"
        connection = None
        try:
            # Asked for each connection anew: what is permitted is decided where it is opened.
            self._guard.check(kept.peer.remote[0])
            connection = await open_connection(
                kept.peer, kept, number, seconds=PROBE_SECONDS - LAST_WORD
            )
        except TargetNotAllowed as error:
            end, detail = ProbeEnd.BLOCKED, error.reason
        except ConnectFailed as error:
            end, detail = error.end, error.detail
        finally:
            if connection is None:
                kept.not_opened(end, detail)
        if connection is not None:
            kept.opened(connection)

    def _expire(self, probe: StreamProbe) -> None:
        probe.connection.expire(probe)

    def _never_begun(self, probe: StreamProbe) -> None:
        if not probe.timed:
            probe.connection.stop_waiting(probe)
            self.table.failed(probe, ProbeEnd.LOCAL_LIMIT, "too many connections are being opened")

    def _refuse_soon(self, job: ProbeJob, reason: str) -> None:
        self._loop.call_soon(self.table.failed, RunningProbe(job), ProbeEnd.BLOCKED, reason)
