"""A ladder as a Mermaid sequence diagram, for tickets and documents that render them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.ladder import Arrow, Band, Ladder, Remark, Row
from domain.ladder_text import clock, repeated, span
from domain.trace import EntryKind

__all__ = ["ladder_mermaid"]

# All others are written as entity codes: `#` and `;` end a statement, `%%` and `{` begin a directive,
# `$$` a formula, `<` a tag, and more may come.
_ESCAPED = re.compile(r"[^A-Za-z0-9 .,_+\-/()@:=?!'*\u00b7\u00d7\u2026\u2190\u2192]")


def ladder_mermaid(ladder: Ladder, *, title: str) -> str:
    """The diagram's source, a line for each statement; `title` names the call."""
    return "\n".join(_lines(ladder, title)) + "\n"


def _lines(ladder: Ladder, title: str) -> Iterator[str]:
    yield "sequenceDiagram"
    yield f"    title {_escaped(title)}"
    for number, lifeline in enumerate(ladder.lifelines):
        parts = [lifeline.name, lifeline.software]
        if lifeline.address and lifeline.address != lifeline.name:
            parts.insert(1, lifeline.address)
        yield f"    participant H{number} as {'<br/>'.join(_escaped(each) for each in parts if each)}"
    last = len(ladder.lifelines) - 1
    over = f"H0,H{last}" if last else "H0"
    if ladder.started_at is not None:
        yield f"    Note over {over}: {ladder.started_at:%Y-%m-%d} {clock(ladder.started_at)} UTC"
    for row in ladder.rows:
        yield from (f"    {line}" for line in _row(row, over))


def _row(row: Row, over: str) -> Iterator[str]:
    if isinstance(row, Remark):
        yield f"Note over {over}: {_escaped(row.text)}"
    elif isinstance(row, Band):
        media = row.media
        words = [
            f"Media {media.words}",
            media.title,
            f"→ {media.outgoing}",
            f"← {media.incoming}",
            ", ".join(media.other),
        ]
        text = "<br/>".join(_escaped(each) for each in words if each)
        yield f"Note over H{row.source},H{row.target}: {text}"
    else:
        if row.after_long_gap:
            yield f"Note over {over}: {_escaped(span(row.delta_ms))} later"
        yield _arrow(row)


def _arrow(arrow: Arrow) -> str:
    line = "->>" if arrow.kind in (EntryKind.REQUEST, EntryKind.UNREADABLE) else "-->>"
    words = [arrow.label]
    if arrow.sdp is not None:
        words.append(f"({arrow.sdp})")
    if arrow.retransmissions:
        words.append(repeated(len(arrow.entries), arrow.repeated_ms))
    if arrow.elapsed_ms:
        words.append(f"+{span(arrow.delta_ms)}")
    text = _escaped(" ".join(words))
    if arrow.note is not None:
        text += f"<br/>{_escaped(arrow.note)}"
    return f"H{arrow.source}{line}H{arrow.target}: {text}"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"#{ord(found[0])};", text)
