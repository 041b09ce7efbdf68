"""What a call came to, for a person: the proof ladder as a table, then the diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.call_result import CallVerdict
from domain.diagnosis import Diagnosis
from domain.proof import ProofStep, Rung, RungOutcome
from domain.variants import Variant

__all__ = ["diagnosis_text", "print_report", "proof_table", "variants_text"]

_MARKS: Final = {
    RungOutcome.PASS: Text("pass", style="green"),
    RungOutcome.FAIL: Text("FAIL", style="bold red"),
    RungOutcome.SKIP: Text("skip", style="dim"),
}
_NAMES: Final = {
    Rung.DNS: "DNS",
    Rung.TCP: "TCP",
    Rung.TLS: "TLS",
    Rung.AUTHENTICATION: "Authentication",
    Rung.INVITE: "INVITE",
    Rung.RINGING: "Ringing",
    Rung.ANSWER: "Answer",
    Rung.SDP: "SDP",
    Rung.SRTP: "SRTP",
    Rung.RTP_OUT: "RTP out",
    Rung.RTP_IN: "RTP in",
    Rung.DTMF: "DTMF",
    Rung.BYE: "BYE",
}


def print_report(
    console: Console,
    verdict: CallVerdict,
    proof: Sequence[ProofStep],
    diagnosis: Diagnosis | None,
    variants: Sequence[Variant],
) -> None:
    """Print what the call proves and, unless it works, what to change."""
    console.print(proof_table(proof))
    if diagnosis is None:
        console.print(Text("It works.", style="bold green"), _verdict_text(verdict))
        return
    console.print(diagnosis_text(diagnosis))
    if variants:
        console.print(variants_text(variants))


def proof_table(proof: Iterable[ProofStep]) -> Table:
    """A row for each rung."""
    table = Table(box=box.SIMPLE)
    table.add_column("Step", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("Evidence", ratio=1)
    for step in proof:
        skipped = step.outcome is RungOutcome.SKIP
        table.add_row(
            _NAMES[step.rung],
            _MARKS[step.outcome],
            "" if step.ms is None else f"{step.ms:.1f}",
            Text(step.evidence, style="dim" if skipped else ""),
        )
    return table


def diagnosis_text(diagnosis: Diagnosis) -> Group:
    """What happened, who said so, what to change."""
    parts: list[RenderableType] = [
        Text(diagnosis.what, style="bold red"),
        Text(diagnosis.who),
    ]
    said = (*diagnosis.warnings, *diagnosis.reasons)
    if diagnosis.q850_text is not None:
        said = (*said, f"Q.850 cause {diagnosis.q850}: {diagnosis.q850_text}")
    parts += _list("In the peer's words:", said)
    parts += _list("What to change:", diagnosis.change)
    parts += _list("What to check, most likely first:", diagnosis.checklist)
    parts += _list("Addresses that cannot work from here:", diagnosis.findings)
    return Group(*parts)


def variants_text(variants: Iterable[Variant]) -> Group:
    """Other settings that are worth a call."""
    return Group(
        *_list("Settings that usually help:", [f"{each.title}. {each.why}" for each in variants])
    )


def _list(title: str, items: Iterable[str]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for item in items:
        line = Table.grid(padding=(0, 1))
        line.add_row(" -", Text(item))
        lines.append(line)
    return [Text(), Text(title, style="bold"), *lines] if lines else []


def _verdict_text(verdict: CallVerdict) -> Text:
    if verdict.duration_ms is None:
        return Text()
    return Text(f"{verdict.duration_ms / 1000:.1f} s from INVITE to end.", style="dim")
