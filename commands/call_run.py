"""One call of ``trunkline call``: place it, show it while it runs, tell what it came to."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer
from pydantic import TypeAdapter
from rich.console import Console

from activities.call_plans import plan_of
from activities.probing import guard_of
from commands.call_report import print_report
from commands.call_screen import CallScreen
from commands.probe import private_networks
from domain.call_result import CallVerdict, verdict_of
from domain.call_settings import CallSettings
from domain.call_timeline import timeline_text
from domain.diagnosis import Diagnosis, diagnose
from domain.proof import ProofStep, proof_of
from domain.trace import TraceEntry, trace_of
from domain.variants import Variant, variants_for
from settings import Settings, get_settings
from sip.call_facts import CallFacts, DnsFacts, TargetFacts
from sip.call_plan import CallPlan
from sip.capture import CapturedMessage
from sip.dialog_state import CallSnapshot, SessionEvent
from sip.net.call_agent import place_call
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.net.tls import TlsProfile, client_context
from sip.net.wire import WireRecord
from sip.pcap import pcap_of

__all__ = ["CallOrder", "NotTried", "run_call"]

_TRACE: Final = TypeAdapter(tuple[TraceEntry, ...])
AROUND_RINGING = 30.0
"""Seconds of a call beside its ringing: finding the peer, talking, and the end."""


class NotTried(Exception):
    """The call was not placed; ``str`` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """What the command line asks for. ``quiet`` prints JSON and draws nothing."""

    settings: CallSettings
    password: str | None = field(repr=False)
    ca_file: Path | None
    ring_seconds: float
    private: bool
    pcap: Path | None
    quiet: bool


@dataclass(slots=True)
class Observer:
    """Collects what happens and shows it on the screen, if there is one.

    Secrets are masked at once, so that nothing that is kept holds one.
    """

    screen: CallScreen | None
    messages: list[CapturedMessage] = field(default_factory=list)
    timeline: list[str] = field(default_factory=list)

    def wire(self, record: WireRecord) -> None:
        message = CapturedMessage.on_flow(
            record.at,
            record.direction,
            record.flow,
            record.data,
            retransmission=record.retransmission,
        ).masked()
        self.messages.append(message)
        if self.screen is not None:
            self.screen.message(message)

    async def save(self, snapshot: CallSnapshot) -> None:
        """Nothing outlives this process that could end its call."""

    def event(self, event: SessionEvent | TargetFacts | DnsFacts) -> None:
        line = timeline_text(event)
        if line is None:
            return
        self.timeline.append(line.detail)
        if self.screen is not None:
            self.screen.happened(line.detail)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules make of the facts."""

    facts: CallFacts
    verdict: CallVerdict
    proof: tuple[ProofStep, ...]
    diagnosis: Diagnosis | None
    variants: tuple[Variant, ...]


async def run_call(order: CallOrder) -> bool:
    """Whether the call works. Raises ``NotTried``."""
    settings = get_settings()
    plan = _plan(order, settings)
    console = Console()
    screen = None if order.quiet else CallScreen(console)
    observer = Observer(screen)
    with screen or nullcontext():
        async with MediaProcess() as media_process, _hang_up_at_interrupt() as hang_up:
            facts = await place_call(
                plan,
                guard=_guard(order, settings),
                resolver=Resolver(settings.nameservers()),
                media_process=media_process,
                media_ports=settings.media_ports(),
                new_token=lambda: secrets.token_hex(16),
                observer=observer,
                hang_up=hang_up,
            )
        if screen is not None:
            screen.finish(facts)
    outcome = Outcome(
        facts,
        verdict_of(facts),
        proof_of(facts),
        diagnose(facts),
        tuple(variants_for(facts, order.settings)),
    )
    if order.quiet:
        typer.echo(json.dumps(_document(order.settings, outcome, observer), indent=2))
    else:
        print_report(console, outcome.verdict, outcome.proof, outcome.diagnosis, outcome.variants)
    if order.pcap is not None:
        _write_capture(order.pcap, observer.messages)
    return outcome.diagnosis is None


def _plan(order: CallOrder, settings: Settings) -> CallPlan:
    ca_file = str(order.ca_file) if order.ca_file else settings.tls_ca_file
    try:
        client_context(TlsProfile(server_name="", ca_file=ca_file))
    except OSError as error:
        raise NotTried(f"{ca_file} cannot be used: {error.strerror}") from error
    return plan_of(
        order.settings,
        order.password,
        user_agent=settings.user_agent,
        public_address=settings.public_address,
        ca_file=ca_file,
        ring_seconds=order.ring_seconds,
        limit_seconds=order.ring_seconds + AROUND_RINGING,
    )


def _guard(order: CallOrder, settings: Settings) -> AddressGuard:
    if not order.private:
        return guard_of(settings)
    return AddressGuard(allowed=(*settings.allowed_networks, *private_networks()))


@asynccontextmanager
async def _hang_up_at_interrupt() -> AsyncIterator[asyncio.Event]:
    """The first Ctrl-C asks for the end of the call; a second one ends the program."""
    loop, hang_up = asyncio.get_running_loop(), asyncio.Event()

    def interrupted() -> None:
        hang_up.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield hang_up
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _write_capture(path: Path, messages: list[CapturedMessage]) -> None:
    try:
        path.write_bytes(pcap_of(messages))
    except OSError as error:
        raise NotTried(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"{len(messages)} messages in {path}", err=True)


def _document(settings: CallSettings, outcome: Outcome, observer: Observer) -> dict[str, Any]:
    """The result for programs; secrets are masked in the trace and stand nowhere else."""
    diagnosis = outcome.diagnosis
    return {
        "works": diagnosis is None,
        "settings": settings.model_dump(mode="json"),
        "verdict": outcome.verdict.model_dump(mode="json"),
        "proof": [each.model_dump(mode="json") for each in outcome.proof],
        "diagnosis": None if diagnosis is None else diagnosis.model_dump(mode="json"),
        "variants": [each.model_dump(mode="json") for each in outcome.variants],
        "timeline": observer.timeline,
        "facts": TypeAdapter(CallFacts).dump_python(outcome.facts, mode="json"),
        "trace": _TRACE.dump_python(trace_of(observer.messages), mode="json"),
    }
