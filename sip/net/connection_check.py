"""Whether one SIP peer can be reached by its own settings: one OPTIONS to it.

The targets of RFC 3263 are tried in order until one takes the request; TLS peers are judged as for
a call, so that what is reachable here can be called.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import Final

from sip.call_facts import TargetOutcome
from sip.call_plan import CallPlan
from sip.net.call_targets import CallTarget, Reached, TargetFailed, TargetReacher, outcome_of
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity, ProbeTarget
from sip.net.probe_request import ProbeRequests
from sip.net.resolver import Resolver, Target
from sip.net.stack import ProtocolFault, RequestFailed, RequestTimedOut, SipStack
from sip.net.wire import WireTap

__all__ = ["CHECK_SECONDS", "ConnectionFacts", "check_connection"]

CHECK_SECONDS: Final = 7.0
"""Look-ups, connections and the answer together: somebody waits for it."""

MAX_TARGETS: Final = 4
TARGET_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """What became of the request.

    ``status`` is that of the final response, ``response_ms`` from the request to it, without
    connecting. Without an answer ``outcome`` says why of the last target that was tried, ``SILENT``
    when it took the request and never answered; ``resolved`` is false when there was no target.
    ``not_sip``: something answered, and not in SIP.
    """

    status: int | None = None
    response_ms: int | None = None
    outcome: TargetOutcome | None = None
    resolved: bool = True
    not_sip: bool = False


async def check_connection(
    plan: CallPlan,
    *,
    guard: AddressGuard,
    resolver: Resolver,
    identity: ProbeIdentity,
    new_token: Callable[[], str],
    tap: WireTap | None = None,
    seconds: float = CHECK_SECONDS,
) -> ConnectionFacts:
    """Send OPTIONS to the plan's host by its port, transport and TLS settings, for ``seconds``.

    Only those of its members are read. Never raises for what peers and networks do.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.timeout_at(deadline - seconds / 3):
            found = await resolver.resolve(plan.host, port=plan.port, transport=plan.transport)
    except TimeoutError:
        return ConnectionFacts(resolved=False)
    facts = ConnectionFacts(resolved=False)
    check = _Check(plan, guard, identity, new_token, tap, deadline)
    async with check.stack:
        for target in found.targets[:MAX_TARGETS]:
            facts = await check.ask(target)
            if facts.status is not None or facts.not_sip or check.left <= 0:
                break
    return facts


class _Check:
    """The stack of one check."""

    def __init__(
        self,
        plan: CallPlan,
        guard: AddressGuard,
        identity: ProbeIdentity,
        new_token: Callable[[], str],
        tap: WireTap | None,
        deadline: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline
        self._host = plan.host
        self._requests = ProbeRequests(identity, new_token)
        self._garbage = False
        self.stack = SipStack(guard=guard, on_fault=self._fault, tap=tap)
        self._reacher = TargetReacher(self.stack.transport, guard, plan)

    @property
    def left(self) -> float:
        """Seconds."""
        return max(self._deadline - self._loop.time(), 0.0)

    async def ask(self, target: Target) -> ConnectionFacts:
        """What one target made of it."""
        if target.port is None or target.transport is None:
            return ConnectionFacts(resolved=False)
        where = CallTarget(target.address, target.port, target.transport.value)
        until = self._loop.time() + min(TARGET_SECONDS, self.left)
        try:
            flow = await self._reacher.reach(
                Reached(where, self._host), seconds=until - self._loop.time()
            )
        except TargetFailed as failed:
            return ConnectionFacts(outcome=failed.outcome)
        request = self._requests.options(
            ProbeTarget(where.address, where.port, where.transport, self._host), flow
        )
        sent_at = perf_counter()
        try:
            answer = await self.stack.request(
                request, flow, seconds=max(until - self._loop.time(), 0.0)
            )
        except RequestTimedOut:
            return ConnectionFacts(outcome=TargetOutcome.SILENT, not_sip=self._garbage)
        except RequestFailed as error:
            return ConnectionFacts(outcome=_outcome(str(error)), not_sip=self._garbage)
        finally:
            self.stack.transport.close_flow(flow)
        return ConnectionFacts(
            status=answer.response.status, response_ms=ceil((perf_counter() - sent_at) * 1000)
        )

    def _fault(self, _: ProtocolFault) -> None:
        self._garbage = True


def _outcome(reason: str) -> TargetOutcome:
    """The outcome behind a broken transport, from the stack's word for it."""
    kind, _, rest = reason.partition(":")
    if kind == "errno":
        return outcome_of(int(rest) if rest.isdigit() else errno.EIO)
    if kind == "tls":
        # TLS 1.3: the peer refuses a client after the handshake.
        refused = "CERTIFICATE_REQUIRED" in rest or "BAD_CERTIFICATE" in rest
        return TargetOutcome.TLS_CLIENT_CERTIFICATE if refused else TargetOutcome.TLS_FAILED
    return TargetOutcome.RESET if kind == "reset" else TargetOutcome.CLOSED
