"""Reaching one target of a call: a flow to it, or why there is none.

Nothing of SIP is sent here. A TLS peer that cannot be trusted gets no INVITE, and its certificate
is looked at all the same, because the customer has to see it.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from sip.call_facts import TargetFacts, TargetOutcome
from sip.call_plan import CallPlan
from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.net.probe_report import ProbeOutcome, outcome_of_errno, ssl_words
from sip.net.tls import (
    TlsProblem,
    TlsProfile,
    matches_name,
    tls_facts,
    tls_problem,
)
from sip.net.tls_credentials import pin_problem
from sip.net.tls_version import old_tls_version
from sip.net.transport import (
    ConnectTimedOut,
    HandshakeFailed,
    HandshakeTimedOut,
    TransportLayer,
)
from sip.tls_facts import TlsFacts
from sip.transaction import Flow

__all__ = [
    "CONNECT_FAILURES",
    "CONNECT_SECONDS",
    "CallTarget",
    "Reached",
    "TargetFailed",
    "TargetReacher",
    "outcome_of",
]

CONNECT_SECONDS: Final = 4.0
"""TCP and TLS together; RFC 3263 has other targets to turn to."""

CONNECT_FAILURES: Final = (
    TargetNotAllowed,
    ConnectTimedOut,
    HandshakeTimedOut,
    HandshakeFailed,
    OSError,
)
"""What `TransportLayer.stream_flow` raises."""

_ERRNO_OUTCOMES = {
    ProbeOutcome.REFUSED: TargetOutcome.REFUSED,
    ProbeOutcome.RESET: TargetOutcome.RESET,
    ProbeOutcome.LOCAL_LIMIT: TargetOutcome.LOCAL_LIMIT,
}
_TLS_OUTCOMES = {
    TlsProblem.OLD_VERSION: TargetOutcome.TLS_OLD_VERSION,
    TlsProblem.NOT_TLS: TargetOutcome.NOT_TLS,
    TlsProblem.UNTRUSTED: TargetOutcome.TLS_UNTRUSTED,
    TlsProblem.CLIENT_CERTIFICATE: TargetOutcome.TLS_CLIENT_CERTIFICATE,
}


@dataclass(frozen=True, slots=True)
class CallTarget:
    """An address to call: ``transport`` is ``udp``, ``tcp`` or ``tls``."""

    address: str
    port: int
    transport: str

    @property
    def remote(self) -> tuple[str, int]:
        return self.address, self.port


@dataclass(slots=True)
class Reached:
    """What is known of a target while it is being reached."""

    target: CallTarget
    host: str
    tcp_ms: float | None = None
    tls_ms: float | None = None
    tls: TlsFacts | None = None

    def facts(self, outcome: TargetOutcome, detail: str | None = None) -> TargetFacts:
        return TargetFacts(
            address=self.target.address,
            port=self.target.port,
            transport=self.target.transport,
            host=self.host,
            outcome=outcome,
            tcp_ms=self.tcp_ms,
            tls_ms=self.tls_ms,
            tls=self.tls,
            detail=detail,
        )


class TargetFailed(Exception):
    """A target that cannot be called; ``reached`` is how far it got, when that is known."""

    def __init__(self, outcome: TargetOutcome, detail: str | None = None) -> None:
        super().__init__(outcome)
        self.outcome, self.detail = outcome, detail
        self.reached: Reached | None = None

    def facts(self, host: str, target: CallTarget) -> TargetFacts:
        reached = self.reached or Reached(target, host)
        return reached.facts(self.outcome, self.detail)


def outcome_of(number: int | None) -> TargetOutcome:
    """The outcome behind an ``errno``."""
    return _ERRNO_OUTCOMES.get(outcome_of_errno(number), TargetOutcome.UNREACHABLE)


class TargetReacher:
    """Opens the flows of one call."""

    def __init__(self, transport: TransportLayer, guard: AddressGuard, plan: CallPlan) -> None:
        self._transport, self._guard, self._plan = transport, guard, plan
        self._loop = asyncio.get_running_loop()

    def profile_for(self, host: str, *, verify: bool | None = None) -> TlsProfile:
        """How TLS is spoken to a host of this call."""
        plan = self._plan
        if verify is None:
            verify = plan.verify_tls
        return TlsProfile(
            host,
            verify,
            plan.ca_file,
            plan.ca_pem,
            pin=plan.certificate_pin,
            # Who is not trusted is only looked at.
            client=plan.client_certificate if verify else None,
        )

    async def reach(self, reached: Reached, *, seconds: float = CONNECT_SECONDS) -> Flow:
        """A flow to the target; times and TLS facts go into ``reached``. Raises `TargetFailed`."""
        target = reached.target
        deadline = self._loop.time() + seconds
        try:
            if target.transport == "udp":
                return self._transport.udp_flow(target.remote)
            if target.transport == "tcp":
                return await self._connect(reached, None, deadline)
            return await self._connect_tls(reached, deadline)
        except TargetNotAllowed as error:
            raise TargetFailed(TargetOutcome.NOT_ALLOWED, error.reason) from error
        except ConnectTimedOut as error:
            raise TargetFailed(TargetOutcome.CONNECT_TIMEOUT) from error
        except HandshakeTimedOut as error:
            raise TargetFailed(TargetOutcome.TLS_SILENT) from error
        except HandshakeFailed as error:
            raise await self._handshake_failure(reached, error, deadline) from error
        except OSError as error:
            words = error.strerror or str(error)
            raise TargetFailed(outcome_of(error.errno), words) from error

    async def _connect_tls(self, reached: Reached, deadline: float) -> Flow:
        profile = self.profile_for(reached.host)
        flow = await self._connect(reached, profile, deadline)
        session = self._transport.ssl_object(flow)
        if session is None:
            raise TargetFailed(TargetOutcome.RESET, "the connection broke behind the handshake")
        facts = reached.tls = tls_facts(session, profile)
        problem = facts.problem if profile.verify else None
        if problem is None and self._plan.exact_tls_names and profile.verify:
            problem = _inexact(facts, reached.host)
        outcome = TargetOutcome.TLS_NAME_MISMATCH
        unpinned = pin_problem(session, profile.pin)
        if unpinned is not None:
            outcome, problem = TargetOutcome.TLS_UNTRUSTED, unpinned
        if problem is not None:
            self._transport.close_flow(flow)
            raise TargetFailed(outcome, problem)
        return flow

    async def _connect(self, reached: Reached, tls: TlsProfile | None, deadline: float) -> Flow:
        started = perf_counter()
        connected = started

        def note() -> None:
            nonlocal connected
            connected = perf_counter()
            reached.tcp_ms = 1000 * (connected - started)

        flow = await self._transport.stream_flow(
            reached.target.remote,
            tls,
            seconds=max(deadline - self._loop.time(), 0.0),
            shared=False,
            on_connected=note,
        )
        if tls is not None:
            reached.tls_ms = 1000 * (perf_counter() - connected)
        return flow

    async def _handshake_failure(
        self, reached: Reached, error: HandshakeFailed, deadline: float
    ) -> TargetFailed:
        if not isinstance(error.error, ssl.SSLError):
            words = "the connection broke during the TLS handshake"
            return TargetFailed(TargetOutcome.RESET, words)
        problem = tls_problem(error.error)
        words = ssl_words(error.error)
        if problem is TlsProblem.UNTRUSTED:
            await self._look_at(reached, words, deadline)
        elif problem is TlsProblem.OLD_VERSION:
            left = max(deadline - self._loop.time(), 0.0)
            target = reached.target
            old = await old_tls_version(self._guard, target.remote, reached.host, seconds=left)
            words = old or words
        return TargetFailed(_TLS_OUTCOMES.get(problem, TargetOutcome.TLS_FAILED), words)

    async def _look_at(self, reached: Reached, problem: str, deadline: float) -> None:
        """Read the certificate of a peer that was refused, over a connection of its own."""
        profile = self.profile_for(reached.host, verify=False)
        looked = Reached(reached.target, reached.host)
        try:
            flow = await self._connect(looked, profile, deadline)
        except CONNECT_FAILURES:
            return
        session = self._transport.ssl_object(flow)
        if session is not None:
            reached.tls = tls_facts(session, profile, problem)
        self._transport.close_flow(flow)


def _inexact(facts: TlsFacts, host: str) -> str | None:
    """Why a certificate does not name a host exactly."""
    names = facts.chain[0].names if facts.chain else ()
    return matches_name(names, host).note
