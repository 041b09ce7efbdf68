"""The order in which the targets of a call are called.

RFC 3263 orders them. A datagram to a dead server is only found out by silence, and an INVITE that
met silence may not be followed by another: so of several UDP targets each is asked by OPTIONS
first, all at once, and those that do not answer come last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from sip.call_facts import TargetFacts, TargetOutcome
from sip.net.call_attempt import CallParts
from sip.net.call_targets import CallTarget, Reached
from sip.net.probe_report import ProbeIdentity, ProbeOutcome, ProbeReport, ProbeTarget
from sip.net.prober import Prober

__all__ = ["TargetOrder"]

ASK_SECONDS: Final = 4.0
"""How long the answer to an OPTIONS is waited for."""

_DEAD = {
    ProbeOutcome.REFUSED: TargetOutcome.REFUSED,
    ProbeOutcome.UNREACHABLE: TargetOutcome.UNREACHABLE,
    ProbeOutcome.NOT_ALLOWED: TargetOutcome.NOT_ALLOWED,
    ProbeOutcome.LOCAL_LIMIT: TargetOutcome.LOCAL_LIMIT,
}


class TargetOrder:
    """Gives one target after the other. Use as an async context manager."""

    def __init__(
        self,
        parts: CallParts,
        targets: tuple[CallTarget, ...],
        note: Callable[[CallTarget, TargetFacts], None],
    ) -> None:
        self._parts, self._note = parts, note
        self._left = list(targets)
        self._asks_first = sum(target.transport == "udp" for target in targets) > 1
        self._asked: dict[CallTarget, asyncio.Task[ProbeReport]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> TargetOrder:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the questions that are still out."""
        for task in self._asked.values():
            task.cancel()
        if self._asked:
            await asyncio.wait(self._asked.values())
        await self._stack.aclose()

    @property
    def has_more(self) -> bool:
        return bool(self._left)

    async def next(self) -> CallTarget | None:
        """The next target to call, None when there is none left."""
        while self._left:
            target = self._left[0]
            if target.transport != "udp" or not self._asks_first:
                return self._left.pop(0)
            alive = await self._first_alive()
            if alive is not None:
                self._left.remove(alive)
                return alive
            # Whoever is silent may still take calls, and comes behind all others.
            silent = [target for target in self._left if target.transport == "udp"]
            self._left = [target for target in self._left if target.transport != "udp"] + silent
            self._asks_first = False
        return None

    async def _first_alive(self) -> CallTarget | None:
        """The first UDP target that answers; those that refuse are dropped on the way."""
        if not self._asked:
            await self._ask()
        for target in [target for target in self._left if target.transport == "udp"]:
            report = await asyncio.shield(self._asked[target])
            reached = Reached(target, self._parts.plan.host)
            if report.outcome in _DEAD:
                self._left.remove(target)
                self._note(target, reached.facts(_DEAD[report.outcome], report.detail))
            elif report.response is not None and report.response.status != 503:
                return target
            else:
                words = "no answer to OPTIONS" if report.response is None else "503 to OPTIONS"
                self._note(target, reached.facts(TargetOutcome.SILENT, words))
        return None

    async def _ask(self) -> None:
        parts = self._parts
        plan = parts.plan
        identity = ProbeIdentity(plan.user_agent, plan.from_domain, plan.public_address)
        prober = await self._stack.enter_async_context(
            Prober(
                guard=parts.guard,
                identity=identity,
                token=parts.new_token,
                timers=parts.timers,
                tap=parts.observer.wire,
            )
        )
        loop = asyncio.get_running_loop()
        for target in self._left:
            if target.transport == "udp":
                question = ProbeTarget(target.address, target.port, "udp", plan.host)
                self._asked[target] = loop.create_task(prober.probe(question, seconds=ASK_SECONDS))
