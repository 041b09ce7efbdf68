"""Runs of PortOrder that the recorder saves and the replay test repeats, each weeks long.

Messages are sent in the background and the carrier is asked by the clock, so where those activities stand between
the others differs from run to run: ``ANYWHERE`` names them, and ``commands`` leave them out. What never
reaches a workflow has no history: a forged webhook, and the calendar of a losing carrier, whose dates are
results in all of them.
"""

from __future__ import annotations

from typing import Final

from domain.porting.rejections import RejectionCode
from domain.porting.words import PortKind
from tests.workflows import port_drives as by
from tests.workflows.port_drives import ordered, scripted
from tests.workflows.scenarios import Scenario

__all__ = ["ANYWHERE", "PORT_SCENARIOS"]

ANYWHERE: Final = frozenset({"port.due_notices", "port.deliver", "port.look"})


def commands(words: str) -> tuple[str, ...]:
    """Types of activities, written without their prefix."""
    return tuple(f"port.{word}" for word in words.split())


SIGNED: Final = "open record validate record record tell_carrier record"
"""Until the carrier has the order."""

PORT_SCENARIOS: Final = (
    Scenario(
        name="port-completed",
        covers="an order that meets no trouble, and is verified by the carriers' word",
        run=ordered(scripted(by.commits, by.quiet, by.ports), by.signed),
        commands=commands(f"{SIGNED} record record record attach record record"),
    ),
    Scenario(
        name="port-verified",
        covers="numbers that are called before anybody has to take the carriers' word",
        run=ordered(scripted(), by.called),
        commands=commands(f"{SIGNED} record record record attach record record"),
    ),
    Scenario(
        name="port-corrected",
        covers="a rejection that is corrected by a supplement",
        run=ordered(
            scripted(by.rejects(RejectionCode.PIN_INVALID), by.commits, by.ports), by.corrected
        ),
        commands=commands(
            f"{SIGNED} record record tell_carrier record record record attach record record"
        ),
    ),
    Scenario(
        name="port-signed-anew",
        covers="a rejection whose correction needs a new letter",
        run=ordered(
            scripted(by.rejects(RejectionCode.NAME_MISMATCH), by.commits, by.ports), by.signed_anew
        ),
        commands=commands(
            f"{SIGNED} record record validate record record tell_carrier record record record attach record record"
        ),
    ),
    Scenario(
        name="port-whole-of-parts",
        covers="the whole of a split order, whose parts have histories of their own",
        run=ordered(by.no_more, by.started),
        commands=commands("open"),
    ),
    Scenario(
        name="port-moved",
        covers="a committed date that the losing carrier moves",
        run=ordered(scripted(by.commits, by.moves, by.ports), by.signed),
        commands=commands(f"{SIGNED} record record record attach record record"),
    ),
    Scenario(
        name="port-rescheduled",
        covers="a committed date that the customer moves",
        run=ordered(scripted(by.commits, by.moves, by.ports), by.rescheduled),
        commands=commands(
            f"{SIGNED} record record tell_carrier record record record attach record record"
        ),
    ),
    Scenario(
        name="port-rescheduled-often",
        covers="three changes of the date, and the fourth, which is refused",
        run=ordered(scripted(), by.rescheduled_often),
        commands=commands(
            f"{SIGNED} record record tell_carrier record record tell_carrier record record tell_carrier record record attach record record"
        ),
    ),
    Scenario(
        name="port-canceled",
        covers="a cancellation that the carrier confirms",
        run=ordered(scripted(by.quiet, by.cancels), by.canceled),
        commands=commands(f"{SIGNED} record record tell_carrier record record"),
    ),
    Scenario(
        name="port-canceled-late",
        covers="a cancellation that a port beats",
        run=ordered(scripted(by.quiet, by.ports), by.canceled),
        commands=commands(
            f"{SIGNED} record record tell_carrier record record attach record record record"
        ),
    ),
    Scenario(
        name="port-canceled-unsent",
        covers="a cancellation before anything was sent",
        run=ordered(scripted(), by.canceled_unsent),
        commands=commands("open record validate record record"),
    ),
    Scenario(
        name="port-disputed",
        covers="a switch that the losing carrier disputes",
        run=ordered(
            scripted(by.commits_to_now, by.rejects(RejectionCode.NPAC_CONFLICT), by.ports),
            by.corrected,
        ),
        commands=commands(
            f"{SIGNED} record record record record tell_carrier record record attach record record"
        ),
    ),
    Scenario(
        name="port-partly-completed",
        covers="ten numbers of which one is rejected for good",
        run=ordered(scripted(by.commits_to_nine, by.ports_nine, count=10), by.signed),
        commands=commands(f"{SIGNED} record record attach record record"),
    ),
    Scenario(
        name="port-silent",
        covers="a losing carrier that is asked, and pressed, before it answers",
        run=ordered(scripted(*[by.quiet] * 18, by.commits, by.ports), by.signed),
        commands=commands(f"{SIGNED} record record record record record attach record record"),
    ),
    Scenario(
        name="port-told-badly",
        covers="notices of the carrier that come twice, and late",
        run=ordered(scripted(), by.told_badly),
        commands=commands(f"{SIGNED} record record attach record record"),
    ),
    Scenario(
        name="port-told-too-early",
        covers="a notice of the carrier that is here before its answer",
        run=ordered(scripted(by.commits, by.ports), by.told_too_early),
        commands=commands(f"{SIGNED} record record attach record record"),
    ),
    Scenario(
        name="port-answer-lost",
        covers="a request whose answer is lost is repeated under its key",
        run=ordered(by.away, by.signed),
        commands=commands(f"{SIGNED} tell_carrier record record record attach record record"),
    ),
    Scenario(
        name="port-toll-free",
        covers="a number that changes hands between responsible organizations",
        run=ordered(scripted(by.commits, by.ports, count=1, kind=PortKind.TOLL_FREE), by.signed),
        commands=commands(f"{SIGNED} record record attach record record"),
    ),
    Scenario(
        name="port-activated",
        covers="an order that its customer activates",
        run=ordered(scripted(by.commits_to_now, by.ports, on_demand=True), by.activated),
        commands=commands(f"{SIGNED} record record record attach record record"),
    ),
    Scenario(
        name="port-dropped-number",
        covers="an order that goes on without one of its numbers",
        run=ordered(scripted(by.quiet, by.commits, by.ports), by.dropped),
        commands=commands(
            f"{SIGNED} record record tell_carrier record record record attach record record"
        ),
    ),
    Scenario(
        name="port-overdue",
        covers="a committed date that passes without a switch",
        run=ordered(by.overdue, by.signed),
        commands=commands(
            f"{SIGNED} record record record record record record record record record attach record record"
        ),
    ),
    Scenario(
        name="port-documented",
        covers="a document that is missing at first",
        run=ordered(by.undocumented, by.documented),
        commands=commands("open record validate record record validate record record"),
    ),
    Scenario(
        name="port-linked-again",
        covers="a second link to the letter",
        run=ordered(scripted(), by.linked_again),
        commands=commands("open record validate record record record"),
    ),
    Scenario(
        name="port-unportable",
        covers="numbers that cannot be ported",
        run=ordered(by.unportable, by.started),
        commands=commands("open record validate record"),
    ),
    Scenario(
        name="port-declined",
        covers="a letter that its signer declines",
        run=ordered(scripted(), by.declined),
        commands=commands("open record validate record record"),
    ),
    Scenario(
        name="port-expired",
        covers="a letter that nobody signs: three reminders, then the end",
        run=ordered(scripted(), by.unsigned),
        commands=commands("open record validate record record record record record"),
    ),
)
