"""From a destination to an INVITE that is ready to be sent: DNS, the connection, its size."""

from __future__ import annotations

from collections.abc import Awaitable
from time import perf_counter
from typing import Final, Protocol, TypeVar

from sip.call_facts import DnsFacts, TargetOutcome
from sip.locate import address_literal
from sip.net.call_attempt import CallAttempt, CallParts, CallTags
from sip.net.call_targets import CallTarget, Reached, TargetFailed
from sip.resolution import Lookup, Outcome, Resolution
from sip.transaction import Flow

__all__ = ["CallOpening", "Impatience"]

MAX_TARGETS: Final = 8
"""Targets tried: the name's owner says how many there are."""

MAX_DATAGRAM_INVITE: Final = 1300
"""A longer request goes by TCP when nobody demands UDP (RFC 3261 section 18.1.1), in octets."""

LARGE_CONNECT_SECONDS: Final = 2.0
"""For the TCP connection that a large INVITE prefers; UDP is there to fall back to."""

MAX_LOOKUPS: Final = 32

_Found = TypeVar("_Found")


class Impatience(Protocol):
    """Waits for something, unless the call is to end before; then it raises."""

    async def __call__(self, work: Awaitable[_Found], /) -> _Found: ...


class CallOpening:
    """Makes the attempts of one call; `dns` is there from the start."""

    def __init__(self, parts: CallParts, unless_stopped: Impatience) -> None:
        self.dns = DnsFacts(name=parts.plan.host, literal=False, ms=0.0, targets=0)
        self._parts, self._unless_stopped = parts, unless_stopped
        self._tags = CallTags(parts.new_token(), parts.new_token(), 1)

    async def targets(self) -> tuple[CallTarget, ...]:
        """The targets of the destination, best first, each once."""
        found = await self._unless_stopped(self._resolve())
        targets = [
            CallTarget(target.address, target.port, str(target.transport))
            for target in found.targets
            if target.port is not None and target.transport is not None
        ]
        return tuple(dict.fromkeys(targets))[:MAX_TARGETS]

    async def attempt(
        self, target: CallTarget, previous: CallAttempt | None
    ) -> tuple[CallAttempt, Reached]:
        """The attempt for a target, behind a ``previous`` one. Raises `TargetFailed`."""
        if previous is not None:
            tags = self._tags
            self._tags = CallTags(tags.call_id, tags.from_tag, previous.next_cseq)
            previous.close()
        reached = Reached(target, self._parts.plan.host)
        try:
            attempt = await self._made(await self._flow(reached), reached)
            if self._is_too_large(attempt, target):
                return await self._by_tcp(attempt, reached)
        except TargetFailed as failed:
            failed.reached = reached
            raise
        return attempt, reached

    async def _resolve(self) -> Resolution:
        plan, started = self._parts.plan, perf_counter()
        found = await self._parts.resolver.resolve(
            plan.host, port=plan.port, transport=plan.transport
        )
        self.dns = DnsFacts(
            name=plan.host,
            literal=address_literal(plan.host) is not None,
            ms=1000 * (perf_counter() - started),
            targets=len(found.targets),
            lookups=tuple(_line(lookup) for lookup in found.trail[:MAX_LOOKUPS]),
            failure=found.failure,
        )
        self._parts.observer.event(self.dns)
        return found

    async def _flow(self, reached: Reached, **limits: float) -> Flow:
        return await self._unless_stopped(self._parts.reacher.reach(reached, **limits))

    async def _made(self, flow: Flow, reached: Reached) -> CallAttempt:
        try:
            return await CallAttempt.open(self._parts, flow, self._tags)
        except OSError as error:
            words = error.strerror or str(error)
            raise TargetFailed(TargetOutcome.LOCAL_LIMIT, words) from error

    def _is_too_large(self, attempt: CallAttempt, target: CallTarget) -> bool:
        return (
            target.transport == "udp"
            and self._parts.plan.transport is None
            and attempt.size > MAX_DATAGRAM_INVITE
        )

    async def _by_tcp(self, attempt: CallAttempt, reached: Reached) -> tuple[CallAttempt, Reached]:
        """The attempt over TCP, or the one over UDP when the peer has no TCP."""
        target = reached.target
        tcp = Reached(CallTarget(target.address, target.port, "tcp"), reached.host)
        kept = False
        try:
            flow = await self._flow(tcp, seconds=LARGE_CONNECT_SECONDS)
        except TargetFailed:
            kept = True
            self._parts.pump.note(
                f"an INVITE of {attempt.size} octets went by UDP because TCP was not to be had"
            )
            return attempt, reached
        finally:
            if not kept:
                attempt.close()
        return await self._made(flow, tcp), tcp


def _line(lookup: Lookup) -> str:
    """One look-up in one line."""
    if lookup.outcome is Outcome.ANSWERED:
        count = len(lookup.answers)
        return f"{lookup.rdtype} {lookup.question}: {count} record{'' if count == 1 else 's'}"
    return f"{lookup.rdtype} {lookup.question}: {lookup.outcome.replace('_', ' ')}"
