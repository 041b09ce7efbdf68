"""Which probe a message answers, and the one answer that its asker gets.

A branch is a token that only the asked peer has seen, so whoever repeats it answers that request,
wherever the answer comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, time
from typing import Final, cast

from sip.errors import RemoteProtocolError
from sip.header_rules import SINGLE
from sip.headers import MAGIC_COOKIE
from sip.message import Response, parse_message
from sip.net.health_probe import HealthReply, ProbeCounters, ProbeEnd, RunningProbe
from sip.probe_message import OptionsTemplate, QuickReply, branches_in, read_reply

__all__ = ["Heard", "ProbeTable"]

MAX_REMEMBERED: Final = 65_536
"""Ended probes that a late reply is recognized by: half a minute of the largest monitor in silence."""

METHOD: Final = "OPTIONS"
CSEQ: Final = 1


Heard = tuple[RunningProbe, QuickReply]
"""A final response and the probe it answers."""


class ProbeTable:
    """Probes that wait for a response.

    ``token`` gives unpredictable text, that of a SIP token; ``on_reply`` is called in the loop.
    """

    def __init__(
        self,
        token: Callable[[], str],
        on_reply: Callable[[HealthReply], None],
        counters: ProbeCounters,
    ) -> None:
        self._token = token
        self._on_reply = on_reply
        self._waiting: dict[str, RunningProbe] = {}
        self._over: dict[str, None] = {}
        self._closed = False
        self.counters = counters

    def __len__(self) -> int:
        return len(self._waiting)

    def send(
        self, probe: RunningProbe, template: OptionsTemplate, form: tuple[bytes, bytes]
    ) -> bytes:
        """Give a probe a request of its own, which must be sent now."""
        token = self._token()
        request = template.render(form, token.encode())
        probe.sending(MAGIC_COOKIE + token, request)
        self._waiting[probe.branch] = probe
        self.counters.probes += 1
        return request

    def withdraw(self, probe: RunningProbe) -> None:
        """No longer expect a response to the request that was sent; the probe goes on."""
        self._waiting.pop(probe.branch, None)

    def heard(self, data: bytes) -> Heard | None:
        """The probe that a message ends; ``None`` when it ends none."""
        reply = read_reply(data)
        if reply is None:
            return self._odd(data)
        return self._matched(reply)

    @staticmethod
    def noise(data: bytes) -> str | None:
        """Why a message that ended no probe is no SIP either; ``None`` when it may be some."""
        if not data.strip(b"\r\n\x00 "):
            return None
        if data.startswith(b"SIP/"):
            return None if branches_in(data) else "a response without a branch"
        first, _, _ = data.partition(b"\r\n")
        return None if first.endswith(b" SIP/2.0") else "not SIP"

    def answered(self, heard: Heard, data: bytes, source: tuple[str, int] | None) -> None:
        """End a probe with its response."""
        probe, (status, _, _, _, retry_after) = heard
        ms = round((perf_counter() - probe.started) * 1000, 3)
        self.counters.replies += 1
        reply = HealthReply(
            probe.job.key,
            probe.sent_at,
            ProbeEnd.REPLY,
            status,
            ms,
            retry_after,
            probe.request,
            data,
            source,
            None,
        )
        self._end(probe, reply)

    def failed(self, probe: RunningProbe, end: ProbeEnd, detail: str | None) -> None:
        """End a probe without a response."""
        if probe.branch:
            self._remember(probe.branch)
        reply = HealthReply(
            probe.job.key,
            probe.sent_at or time(),
            end,
            None,
            None,
            None,
            probe.request,
            probe.odd,
            None,
            detail,
        )
        self._end(probe, reply)

    def timed_out(self, probe: RunningProbe, detail: str | None = None) -> None:
        """End a probe that waited long enough; what came in place of a response is the detail."""
        self.failed(probe, ProbeEnd.TIMEOUT, probe.silence() or detail)

    def close(self) -> None:
        """Forget every probe; nobody is told of any from now on."""
        self._closed = True
        self._waiting.clear()

    def _end(self, probe: RunningProbe, reply: HealthReply) -> None:
        probe.ended = True
        self._waiting.pop(probe.branch, None)
        if not self._closed:
            self._on_reply(reply)

    def _remember(self, branch: str) -> None:
        if len(self._over) >= MAX_REMEMBERED:
            del self._over[next(iter(self._over))]
        self._over[branch] = None

    def _matched(self, reply: QuickReply) -> Heard | None:
        status, branch, cseq, method, _ = reply
        probe = self._waiting.get(branch)
        if probe is None or cseq != CSEQ or method != METHOD:
            if self._over.pop(branch, self) is self:
                self.counters.stray += 1
            else:
                self.counters.late += 1
            return None
        if status < 200:
            probe.provisional = status
            return None
        return probe, reply

    def _odd(self, data: bytes) -> Heard | None:
        """Give what the quick reader does not know to the parser, if it is about a probe at all."""
        for branch in branches_in(data):
            probe = self._waiting.get(branch)
            if probe is not None:
                break
        else:
            self.counters.stray += 1
            return None
        try:
            message = parse_message(data)
        except RemoteProtocolError as error:
            self.counters.unreadable += 1
            probe.was_answered_oddly(data, str(error))
            return None
        if not isinstance(message, Response):
            self.counters.stray += 1
            probe.was_answered_oddly(data, "the request came back")
            return None
        if len(message.vias) != 1 or message.via.branch is None:
            self.counters.stray += 1
            return None
        waits = message.headers.get("Retry-After")
        retry_after = None if waits is None else cast(int, SINGLE["Retry-After"](waits))
        cseq = message.cseq
        return self._matched(
            QuickReply(message.status, message.via.branch, cseq.number, cseq.method, retry_after)
        )
