"""OPTIONS to very many targets, for the health monitor: many a second, at little cost each.

There is no task and no timer for a probe, and no transaction layer: a request is joined of ready
parts, its branch leads from the reply to the probe, and a few queues hold all deadlines. Field
guide 3.2 is why the request looks as it does; it is the one that discovery sends.
"""

from __future__ import annotations

from collections.abc import Callable

from sip.net.guard import AddressGuard
from sip.net.health_probe import (
    PROBE_SECONDS,
    HealthReply,
    ProbeCounters,
    ProbeEnd,
    ProbeJob,
)
from sip.net.health_request import RequestForms
from sip.net.health_streams import StreamProbes
from sip.net.health_table import ProbeTable
from sip.net.health_udp import UdpProbes
from sip.net.probe_report import ProbeIdentity
from sip.transports import Transport

__all__ = ["PROBE_SECONDS", "HealthProber", "HealthReply", "ProbeCounters", "ProbeEnd", "ProbeJob"]


class HealthProber:
    """Probes for as long as it is open. Use as an async context manager, in one event loop.

    ``on_reply`` gets each probe's end, in the loop and never while ``probe`` runs;
    ``on_closed`` the key of each target whose connection the peer closed while nothing was asked.
    ``token`` gives new unpredictable text, that of a SIP token, at each call.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        identity: ProbeIdentity,
        on_reply: Callable[[HealthReply], None],
        on_closed: Callable[[str], None],
        token: Callable[[], str],
    ) -> None:
        self.counters = ProbeCounters()
        forms = RequestForms(identity)
        self._tables = tuple(ProbeTable(token, on_reply, self.counters) for _ in range(2))
        self._udp = UdpProbes(self._tables[0], guard, forms)
        self._streams = StreamProbes(
            self._tables[1], guard, forms, on_closed, ca_file=identity.ca_file
        )
        self._closed = False

    async def __aenter__(self) -> HealthProber:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def running(self) -> int:
        """Requests that are out and not answered."""
        return sum(len(table) for table in self._tables)

    def probe(self, job: ProbeJob) -> None:
        """Ask a target; exactly one ``on_reply`` follows within 4 s, unless the prober is closed.

        Only a connection that has to wait for its turn to be opened lengthens that, by how long it
        waits. Never raises and never blocks.
        """
        if self._closed:
            return
        if job.transport is Transport.UDP:
            self._udp.probe(job)
        else:
            self._streams.probe(job)

    def forget(self, key: str) -> None:
        """Drop what is kept for a target; its connection is closed unless others are asked over it.

        A probe that runs still ends.
        """
        self._udp.forget(key)
        self._streams.forget(key)

    async def close(self) -> None:
        """Close all sockets; of probes that run nothing more is heard. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for table in self._tables:
            table.close()
        self._udp.close()
        await self._streams.close()
