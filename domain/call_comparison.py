"""Two calls side by side: what happened in both, what in one only, and which fields differ.

Steps are matched by what they are (method, or status and reason), not by who sent them or when they
came: the longest common run first, as a difference of two texts is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from domain.trace import TraceEntry

__all__ = ["ComparedStep", "Comparison", "FieldDifference", "compare"]

# Different in any two calls, or where a message is on its way.
_ALWAYS_DIFFERENT: Final = frozenset(
    {
        *("Via", "Call-ID", "CSeq", "From", "To", "Contact", "Record-Route", "Route", "Date"),
        *("Content-Length", "Max-Forwards", "Timestamp", "Session-ID", "RSeq", "RAck"),
        *("Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate"),
    }
)
MOST_DIFFERENCES: Final = 50


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A header field that one of two messages has and the other has not, or has otherwise."""

    name: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """One step of both calls or of one: indices in the traces, None where a call has it not.

    ``left_ms`` and ``right_ms`` are milliseconds since the call's first message.
    """

    label: str
    left: int | None
    right: int | None
    left_ms: float | None
    right_ms: float | None
    left_sdp: str | None
    right_sdp: str | None
    differences: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every step in order; ``alike`` is the share of steps that both calls have, 0 to 1."""

    steps: tuple[ComparedStep, ...]
    alike: float


def compare(left: Sequence[TraceEntry], right: Sequence[TraceEntry]) -> Comparison:
    """The steps of two traces, retransmissions left out."""
    lefts = [entry for entry in left if not entry.retransmission]
    rights = [entry for entry in right if not entry.retransmission]
    labels = [entry.label for entry in lefts], [entry.label for entry in rights]
    matcher = SequenceMatcher(None, *labels, autojunk=False)
    steps: list[ComparedStep] = []
    both = 0
    for operation, begin, end, other_begin, other_end in matcher.get_opcodes():
        if operation == "equal":
            both += end - begin
            pairs = zip(lefts[begin:end], rights[other_begin:other_end], strict=True)
            steps += [_step(mine, theirs) for mine, theirs in pairs]
        else:
            steps += [_step(mine, None) for mine in lefts[begin:end]]
            steps += [_step(None, theirs) for theirs in rights[other_begin:other_end]]
    return Comparison(tuple(steps), round(both / len(steps), 3) if steps else 1.0)


def _step(left: TraceEntry | None, right: TraceEntry | None) -> ComparedStep:
    one = left or right
    assert one is not None
    return ComparedStep(
        label=one.label,
        left=None if left is None else left.index,
        right=None if right is None else right.index,
        left_ms=None if left is None else left.elapsed_ms,
        right_ms=None if right is None else right.elapsed_ms,
        left_sdp=None if left is None else left.sdp,
        right_sdp=None if right is None else right.sdp,
        differences=() if left is None or right is None else tuple(_differences(left, right)),
    )


def _differences(left: TraceEntry, right: TraceEntry) -> list[FieldDifference]:
    mine, theirs = _fields(left), _fields(right)
    names = dict.fromkeys([*mine, *theirs])
    different = [
        FieldDifference(name, mine.get(name), theirs.get(name))
        for name in names
        if mine.get(name) != theirs.get(name)
    ]
    return different[:MOST_DIFFERENCES]


def _fields(entry: TraceEntry) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in entry.header_fields:
        if name not in _ALWAYS_DIFFERENT:
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields
