"""One OPTIONS to one address, port and transport, and everything that can be learned from it.

Failure is a value here, never an exception: a probe that meets silence, a refusal, a broken
handshake or garbage has found something out. Field guide 3.2 is why the request looks as it does:
no user part in the Request-URI, a Via transport that is the real one, an honest User-Agent.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.net.probe_report import (
    ProbeIdentity,
    ProbeOutcome,
    ProbeReport,
    ProbeTarget,
    outcome_of_errno,
    ssl_words,
)
from sip.net.probe_request import ProbeRequests
from sip.net.stack import ProtocolFault, RequestFailed, RequestTimedOut, SipStack
from sip.net.tls import TlsFacts, TlsProblem, TlsProfile, tls_facts, tls_problem
from sip.net.tls_version import old_tls_version
from sip.net.transport import ConnectTimedOut, HandshakeFailed, HandshakeTimedOut
from sip.net.wire import WireTap, utc_now
from sip.timers import Timers
from sip.transaction import Flow

__all__ = ["PROBE_SECONDS", "Prober"]

PROBE_SECONDS = 4.0
"""A probe ends after this: three retransmissions over UDP, where RFC 3261's 32 s would be useless."""


@dataclass(slots=True)
class _Progress:
    """What is known so far of a running probe."""

    started_at: datetime = field(default_factory=utc_now)
    connect_ms: float | None = None
    local_address: str | None = None
    tls: TlsFacts | None = None


class _Stop(Exception):
    """Ends a probe with an outcome."""

    def __init__(self, outcome: ProbeOutcome, detail: str | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.detail = detail


class Prober:
    """Sends OPTIONS on a stack of its own. Use as an async context manager.

    ``token`` gives unpredictable text for branch, tag and Call-ID.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        identity: ProbeIdentity,
        token: Callable[[], str],
        timers: Timers | None = None,
        tap: WireTap | None = None,
    ) -> None:
        self._guard = guard
        self._identity = identity
        self._requests = ProbeRequests(identity, token)
        self._faults: dict[tuple[str, tuple[str, int]], str] = {}
        self._stack = SipStack(guard=guard, timers=timers, on_fault=self._fault, tap=tap)
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Prober:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.close()

    async def probe(self, target: ProbeTarget, *, seconds: float = PROBE_SECONDS) -> ProbeReport:
        """Probe a target; connecting, handshake and answer share ``seconds``."""
        progress = _Progress()
        deadline = self._loop.time() + seconds
        try:
            flow = await self._flow(target, progress, deadline)
        except _Stop as stop:
            return _report(target, progress, stop.outcome, detail=stop.detail)
        progress.local_address = flow.local[0]
        # Garbage of an earlier probe says nothing about this one.
        self._faults.pop((flow.transport, flow.remote), None)
        left = max(deadline - self._loop.time(), 0.0)
        sent_at = perf_counter()
        try:
            answer = await self._stack.request(
                self._requests.options(target, flow), flow, seconds=left
            )
        except RequestTimedOut as error:
            return self._silent(target, progress, error.provisional)
        except RequestFailed as error:
            outcome, detail = self._failed(target, str(error))
            return _report(target, progress, outcome, detail=detail)
        finally:
            self._stack.transport.close_flow(flow)
        return ProbeReport(
            target=target,
            outcome=ProbeOutcome.ANSWERED,
            started_at=progress.started_at,
            ended_at=utc_now(),
            response=answer.response,
            response_time_ms=_ms_since(sent_at),
            connect_ms=progress.connect_ms,
            local_address=progress.local_address,
            source=answer.flow.remote if answer.flow.remote != flow.remote else None,
            tls=progress.tls,
        )

    async def _flow(self, target: ProbeTarget, progress: _Progress, deadline: float) -> Flow:
        remote = (target.address, target.port)
        started = perf_counter()
        try:
            if target.transport == "udp":
                return self._stack.transport.udp_flow(remote)
            if target.transport == "tcp":
                flow = await self._stack.transport.stream_flow(
                    remote, None, seconds=deadline - self._loop.time(), shared=False
                )
            else:
                flow = await self._tls_flow(target, progress, deadline)
        except TargetNotAllowed as error:
            raise _Stop(ProbeOutcome.NOT_ALLOWED, error.reason) from error
        except ConnectTimedOut as error:
            raise _Stop(ProbeOutcome.CONNECT_TIMEOUT) from error
        except HandshakeTimedOut as error:
            raise _Stop(ProbeOutcome.TLS_SILENT) from error
        except HandshakeFailed as error:
            raise _Stop(ProbeOutcome.TLS_FAILED, ssl_words(error.error)) from error
        except OSError as error:
            raise _Stop(outcome_of_errno(error.errno), error.strerror or str(error)) from error
        progress.connect_ms = _ms_since(started)
        return flow

    async def _tls_flow(self, target: ProbeTarget, progress: _Progress, deadline: float) -> Flow:
        remote = (target.address, target.port)
        verified = TlsProfile(server_name=target.host, ca_file=self._identity.ca_file)
        profile, failure = verified, None
        try:
            flow = await self._handshake(remote, profile, deadline)
        except HandshakeFailed as error:
            if not isinstance(error.error, ssl.SSLError):
                raise _Stop(
                    ProbeOutcome.RESET, "the connection broke during the TLS handshake"
                ) from error
            problem = tls_problem(error.error)
            if problem is TlsProblem.OLD_VERSION:
                raise await self._name_old_version(target, deadline, error.error) from error
            if problem is not TlsProblem.UNTRUSTED:
                outcome = {
                    TlsProblem.NOT_TLS: ProbeOutcome.NOT_TLS,
                    TlsProblem.CLIENT_CERTIFICATE: ProbeOutcome.TLS_CLIENT_CERTIFICATE,
                }.get(problem, ProbeOutcome.TLS_FAILED)
                raise _Stop(outcome, ssl_words(error.error)) from error
            # The peer is shown with its facts all the same: the customer needs to see them.
            failure = ssl_words(error.error)
            profile = TlsProfile(server_name=target.host, verify=False)
            flow = await self._handshake(remote, profile, deadline)
        session = self._stack.transport.ssl_object(flow)
        if session is not None:
            progress.tls = tls_facts(session, profile, failure)
        return flow

    async def _handshake(
        self, remote: tuple[str, int], profile: TlsProfile, deadline: float
    ) -> Flow:
        left = max(deadline - self._loop.time(), 0.0)
        return await self._stack.transport.stream_flow(remote, profile, seconds=left, shared=False)

    async def _name_old_version(
        self, target: ProbeTarget, deadline: float, error: ssl.SSLError
    ) -> _Stop:
        left = max(deadline - self._loop.time(), 0.0)
        remote = (target.address, target.port)
        version = await old_tls_version(self._guard, remote, target.host, seconds=left)
        return _Stop(ProbeOutcome.TLS_OLD_VERSION, version or ssl_words(error))

    def _silent(
        self, target: ProbeTarget, progress: _Progress, provisional: int | None
    ) -> ProbeReport:
        garbage = self._faults.get((target.transport.upper(), (target.address, target.port)))
        if provisional is not None:
            outcome = ProbeOutcome.PROVISIONAL_ONLY
        elif garbage is not None:
            outcome = ProbeOutcome.NOT_SIP
        elif target.transport == "udp":
            outcome = ProbeOutcome.SILENT
        else:
            outcome = ProbeOutcome.CONNECTED_SILENT
        return _report(target, progress, outcome, detail=garbage)

    def _failed(self, target: ProbeTarget, reason: str) -> tuple[ProbeOutcome, str | None]:
        garbage = self._faults.get((target.transport.upper(), (target.address, target.port)))
        if garbage is not None:
            return ProbeOutcome.NOT_SIP, garbage
        kind, _, rest = reason.partition(":")
        if kind == "errno":
            number = int(rest)
            return outcome_of_errno(number), errno.errorcode.get(number, rest)
        if kind == "tls":
            if "CERTIFICATE_REQUIRED" in rest or "BAD_CERTIFICATE" in rest:
                return ProbeOutcome.TLS_CLIENT_CERTIFICATE, rest
            return ProbeOutcome.TLS_FAILED, rest
        return (ProbeOutcome.RESET if kind == "reset" else ProbeOutcome.CLOSED), None

    def _fault(self, fault: ProtocolFault) -> None:
        if len(self._faults) < 1024:
            self._faults[(fault.flow.transport, fault.flow.remote)] = fault.reason


def _report(
    target: ProbeTarget, progress: _Progress, outcome: ProbeOutcome, *, detail: str | None = None
) -> ProbeReport:
    return ProbeReport(
        target=target,
        outcome=outcome,
        started_at=progress.started_at,
        ended_at=utc_now(),
        connect_ms=progress.connect_ms,
        local_address=progress.local_address,
        tls=progress.tls,
        detail=detail,
    )


def _ms_since(moment: float) -> float:
    """Milliseconds by a clock finer than the loop's, which stands still within one turn."""
    return round((perf_counter() - moment) * 1000, 3)
