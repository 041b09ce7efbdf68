"""The life of one kept connection: who is asked over it, who waits for it, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import Final, Protocol

from sip.net.health_connection import Peer
from sip.net.health_probe import ProbeEnd, ProbeJob, RunningProbe
from sip.net.health_table import ProbeTable
from sip.net.streams import StreamConnection
from sip.probe_message import OptionsTemplate
from sip.transaction import Flow

__all__ = ["ConnectionKeeper", "KeptConnection", "StreamProbe"]

MAX_STRAYS: Final = 64
"""Messages between two responses that answer nothing: a peer that sends more is flooding."""

MAX_TLS_AGE: Final = 3600.0
"""Seconds until a connection over TLS is replaced: a certificate is looked at when one begins."""

TOLD_AGAIN: Final = 60.0
"""Seconds after a close was told in which the next is not: some peers close after every response."""


class ConnectionKeeper(Protocol):
    """What a kept connection needs of whoever keeps it."""

    table: ProbeTable

    def connect(self, kept: KeptConnection) -> None:
        """Open the connection as soon as there is a place for it; calls ``begin`` then."""

    def template(self, peer: Peer, flow: Flow, from_uri: str | None) -> OptionsTemplate:
        """The template of requests over a connection."""

    def time(self, probe: StreamProbe) -> None:
        """Let a probe's four seconds begin, unless they have."""

    def await_place(self, probe: StreamProbe) -> None:
        """Limit how long a probe waits for its four seconds to begin."""

    def kept(self, connection: StreamConnection) -> None:
        """A connection is there."""

    def closed_by_peer(self, key: str) -> None:
        """The connection of a target of which nothing was asked is gone."""

    def crowded(self) -> bool:
        """Whether no further connection should be kept."""

    def unused(self, kept: KeptConnection) -> None:
        """Nobody is asked over the connection any more."""


class StreamProbe(RunningProbe):
    """A probe, the connection it goes over, and whether it went over an earlier one."""

    __slots__ = ("again", "connection", "form", "timed")

    def __init__(
        self, job: ProbeJob, connection: KeptConnection, form: tuple[bytes, bytes]
    ) -> None:
        super().__init__(job)
        self.connection = connection
        self.form = form
        self.timed = self.again = False


class KeptConnection:
    """The connection to one peer, while there is one, and its probes.

    Owner of its ``StreamConnection``; all calls are in the loop.
    """

    def __init__(self, keeper: ConnectionKeeper, peer: Peer) -> None:
        self.peer = peer
        self._keeper = keeper
        self._keys: set[str] = set()
        self._queued = self._opening = False
        self._waiting: list[StreamProbe] = []
        self._asked: dict[str, StreamProbe] = {}
        self._connection: StreamConnection | None = None
        self._used = False
        self._strays = 0
        self._opened_at = self._heard_at = 0.0
        self._told_at = float("-inf")
        self._templates: dict[str | None, OptionsTemplate] = {}

    def join(self, key: str) -> None:
        """A target is asked over this connection from now on."""
        self._keys.add(key)

    def leave(self, key: str) -> None:
        """A target is not asked any more."""
        self._keys.discard(key)
        self._settle()

    def ask(self, probe: StreamProbe) -> None:
        """Send a probe over the connection, or as soon as there is one."""
        if self._connection is not None and not self._asked and self._is_old():
            self._give_up("replaced")
        if self._connection is not None and self._connection.closing:
            self.stream_lost(self._connection, self._connection.failure, not_sip=False)
        if self._connection is not None:
            self._keeper.time(probe)
            self._send(probe, self._connection)
            return
        self._waiting.append(probe)
        if self._opening:
            self._keeper.time(probe)
            return
        self._keeper.await_place(probe)
        if not self._queued:
            self._queued = True
            self._keeper.connect(self)

    def begin(self) -> bool:
        """The connection's turn to be opened has come; whether anybody still waits for it."""
        self._queued = False
        self._opening = bool(self._waiting)
        for probe in self._waiting:
            self._keeper.time(probe)
        return self._opening

    def opened(self, connection: StreamConnection) -> None:
        """The connection is there, and the peer is who it should be."""
        self._opening = self._used = False
        self._strays = 0
        self._opened_at = self._heard_at = perf_counter()
        self._templates.clear()
        self._connection = connection
        self._keeper.kept(connection)
        waiting, self._waiting = self._waiting, []
        for probe in waiting:
            self._send(probe, connection)
        self._settle()

    def not_opened(self, end: ProbeEnd, detail: str) -> None:
        """There is no connection; whoever waited for it learns why."""
        self._opening = False
        waiting, self._waiting = self._waiting, []
        for probe in waiting:
            self._keeper.table.failed(probe, end, detail)
        self._settle()

    def expire(self, probe: StreamProbe) -> None:
        """A probe's time is over; a connection that was silent since it was sent is given up."""
        if self._asked.pop(probe.branch, None) is None:
            self._keeper.table.timed_out(probe, "there was no connection in time")
            self.stop_waiting(probe)
        else:
            self._keeper.table.timed_out(probe)
            if self._heard_at < probe.started:
                self._give_up("silent")
        self._settle()

    def stop_waiting(self, probe: StreamProbe) -> None:
        """A probe no longer waits for the connection."""
        if probe in self._waiting:
            self._waiting.remove(probe)
        self._settle()

    def stream_opened(self, connection: StreamConnection) -> None:
        """Nothing is sent before the peer is known to be who it should be: see ``opened``."""

    def stream_message(self, connection: StreamConnection, data: bytes) -> None:
        """A framed message arrived."""
        if connection is not self._connection:
            return
        heard = self._keeper.table.heard(data)
        if heard is None or self._asked.pop(heard[0].branch, None) is None:
            self._strays += 1
            if self._strays > MAX_STRAYS:
                connection.abort("the peer floods")
            return
        self._used = True
        self._strays = 0
        self._heard_at = perf_counter()
        self._keeper.table.answered(heard, data, None)
        self._settle()

    def stream_lost(self, connection: StreamConnection, reason: str, *, not_sip: bool) -> None:
        """The connection is gone, by the peer's doing or because of what it sent."""
        if connection is not self._connection:
            return
        self._connection = None
        asked, self._asked = tuple(self._asked.values()), {}
        busy = {probe.job.key for probe in asked}
        for probe in asked:
            # What the peer said before it closed shows that it was there: only then had the
            # connection been kept.
            if self._used and not probe.again and not not_sip:
                probe.again = True
                self._ask_again((probe,))
                continue
            if not_sip:
                self._keeper.table.withdraw(probe)
                probe.was_answered_oddly(b"", reason)
                self._keeper.table.timed_out(probe)
            else:
                self._keeper.table.failed(probe, *_end_of(reason))
        self._tell(key for key in tuple(self._keys) if key not in busy)
        self._settle()

    def _send(self, probe: StreamProbe, connection: StreamConnection) -> None:
        assert connection.flow is not None
        from_uri = probe.job.from_uri
        template = self._templates.get(from_uri)
        if template is None:
            template = self._keeper.template(self.peer, connection.flow, from_uri)
            self._templates[from_uri] = template
        request = self._keeper.table.send(probe, template, probe.form)
        self._asked[probe.branch] = probe
        connection.send(request)

    def _ask_again(self, probes: Iterable[StreamProbe]) -> None:
        for probe in probes:
            self._keeper.table.withdraw(probe)
            self._keeper.table.counters.repeated += 1
            self.ask(probe)

    def _tell(self, keys: Iterable[str]) -> None:
        now = perf_counter()
        if now - self._told_at < TOLD_AGAIN:
            return
        for key in keys:
            self._told_at = now
            self._keeper.closed_by_peer(key)

    def _is_old(self) -> bool:
        return self.peer.tls is not None and perf_counter() - self._opened_at > MAX_TLS_AGE

    def _give_up(self, reason: str) -> None:
        """Drop the connection from here; whoever was asked over it is asked over the next one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort(reason)
        asked, self._asked = tuple(self._asked.values()), {}
        self._ask_again(asked)

    def _settle(self) -> None:
        """Close what is not needed, once nothing runs over it."""
        if self._asked or self._waiting:
            return
        if self._connection is not None and (not self._keys or self._keeper.crowded()):
            connection, self._connection = self._connection, None
            connection.close()
        if not self._keys:
            self._keeper.unused(self)


def _end_of(reason: str) -> tuple[ProbeEnd, str | None]:
    """How a probe ends at the connection's word for its end."""
    kind, _, rest = reason.partition(":")
    if kind == "tls":
        words = rest.lower().replace("_", " ")
        if "CERTIFICATE_REQUIRED" in rest or "BAD_CERTIFICATE" in rest:
            # TLS 1.3: the peer refuses a client after the handshake.
            words = f"the peer asks for a client certificate ({words})"
        return ProbeEnd.TLS_FAILED, words
    if kind in ("reset", "closed"):
        return ProbeEnd(kind), None
    return ProbeEnd.TIMEOUT, reason
