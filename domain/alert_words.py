"""What an alert says, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.alert_condition import ORGANIZATION, Condition
from domain.alert_state import AlertMember

__all__ = ["cause_of", "count", "happened", "line"]

_NAMED: Final = 3
"""Causes and findings that are spelled out; of the others there is a count."""

MAX_LINE: Final = 300


def count(number: int, noun: str) -> str:
    """``1 trunk``, ``80 trunks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def line(text: str, longest: int = MAX_LINE) -> str:
    """Text of others as one line without control characters, cut to its length."""
    if not text.isprintable():
        text = "".join(each if each.isprintable() else " " for each in text)
    plain = " ".join(text.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def cause_of(conditions: Sequence[Condition]) -> str:
    """The causes in words, each once, the one that most share first."""
    shares: dict[str, int] = {}
    for each in conditions:
        shares[each.cause] = shares.get(each.cause, 0) + 1
    names = sorted(shares, key=lambda each: (-shares[each], each))
    return line(_enumerated(names))


def happened(conditions: Sequence[Condition], members: Sequence[AlertMember]) -> str:
    """The findings, then who is concerned."""
    findings = dict.fromkeys(each.because for each in conditions)
    said = [f"{line(each)}." for each in list(findings)[:_NAMED]]
    if len(findings) > _NAMED:
        said.append(f"There are {len(findings) - _NAMED} more findings of the kind.")
    trunks = [each for each in members if each.active and each.trunk_id != ORGANIZATION]
    if trunks:
        said.append(_concerned(trunks))
    return " ".join(said)


def _concerned(trunks: Sequence[AlertMember]) -> str:
    numbers = sum(each.numbers for each in trunks)
    first = f"{trunks[0].name}, " if len(trunks) == 1 else ""
    said = f"Concerned: {first}{count(len(trunks), 'trunk')} with {count(numbers, 'number')}"
    stranded = sum(each.no_route for each in trunks)
    if not stranded:
        return f"{said}."
    if stranded == len(trunks):
        return f"{said}; no other endpoint works, so calls fail."
    return f"{said}; for {stranded} of them no other endpoint works, so calls fail."


def _enumerated(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    if len(names) <= _NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
