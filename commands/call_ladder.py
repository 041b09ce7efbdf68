"""A ladder for a terminal: one lifeline for each host, time running down, an arrow for each message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from domain.trace import EntryKind, TraceEntry
from sip.media_verdict import MediaFlow, MediaVerdict

__all__ = ["ASCII", "LINES", "Glyphs", "TerminalLadder"]

_STYLES: Final = {
    EntryKind.REQUEST: "cyan",
    EntryKind.PROVISIONAL: "yellow",
    EntryKind.SUCCESS: "green",
    EntryKind.REDIRECTION: "magenta",
    EntryKind.FAILURE: "red",
    EntryKind.UNREADABLE: "red reverse",
}
_TIME_WIDTH: Final = 10
_MIN_GAP: Final = 18
_MAX_GAP: Final = 44
"""Columns between two lifelines: room for a label, and not so much that the eye gets lost."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What the drawing is made of."""

    lifeline: str
    request: str
    response: str
    right: str
    left: str
    media: str


LINES: Final = Glyphs("│", "─", "╌", "▶", "◀", "═")
ASCII: Final = Glyphs("|", "-", ".", ">", "<", "=")
"""For terminals that know no other characters."""


@dataclass(slots=True)
class _Row:
    """A message and how often it was repeated."""

    entry: TraceEntry
    repeated: int = 0


@dataclass(slots=True)
class TerminalLadder:
    """Grows by ``add``; ``lines`` draws what is there.

    Copies of a message are counted at the first of them. ``media`` stands before the first BYE.
    """

    glyphs: Glyphs = LINES
    media: MediaVerdict | None = None
    _rows: dict[int, _Row] = field(default_factory=dict)
    _hosts: list[str] = field(default_factory=list)
    _software: dict[str, str] = field(default_factory=dict)

    def add(self, entry: TraceEntry) -> None:
        """Draw one more message."""
        ours, theirs = entry.source, entry.destination
        if entry.direction.value == "in":
            ours, theirs = theirs, ours
        for host, _ in (ours, theirs):
            if host not in self._hosts:
                self._hosts.append(host)
        if entry.direction.value == "in" and entry.software is not None:
            self._software.setdefault(theirs[0], entry.software)
        if entry.repeats is not None and entry.repeats in self._rows:
            self._rows[entry.repeats].repeated += 1
        else:
            self._rows[entry.index] = _Row(entry)

    def lines(self, width: int) -> list[Text]:
        """The lines of the drawing, the two of its head first. Wider than ``width`` it never gets."""
        if not self._hosts:
            return []
        columns = self._columns(width)
        drawn = [
            self._head(columns, self._hosts, "bold"),
            self._head(columns, [self._software.get(host, "") for host in self._hosts], "dim"),
        ]
        media_drawn = self.media is None
        for row in self._rows.values():
            if not media_drawn and row.entry.method == "BYE":
                drawn += self._media_lines(columns)
                media_drawn = True
            drawn.append(self._message_line(columns, row))
        if not media_drawn:
            drawn += self._media_lines(columns)
        for line in drawn:
            line.truncate(width, overflow="ellipsis")
        return drawn

    def _columns(self, width: int) -> dict[str, int]:
        """Where each host's lifeline stands."""
        first = _TIME_WIDTH + 7
        gaps = max(1, len(self._hosts) - 1)
        gap = min(_MAX_GAP, max(_MIN_GAP, (width - first - 8) // gaps))
        return {host: first + number * gap for number, host in enumerate(self._hosts)}

    def _head(self, columns: dict[str, int], words: Sequence[str], style: str) -> Text:
        """A word above each lifeline, in the middle of it."""
        line = ""
        places = [*columns.values()]
        for place, word in zip(places, words, strict=True):
            gap = places[1] - places[0] if len(places) > 1 else _MAX_GAP
            shown = set_cell_size(word, min(cell_len(word), gap - 2))
            start = max(place - cell_len(shown) // 2, cell_len(line) + (1 if line else 0))
            line = set_cell_size(line, start) + shown
        return Text(line, style=style)

    def _message_line(self, columns: dict[str, int], row: _Row) -> Text:
        entry = row.entry
        body = self.glyphs.request if entry.kind is EntryKind.REQUEST else self.glyphs.response
        label = entry.label if entry.sdp is None else f"{entry.label} [{entry.sdp}]"
        line = Text(f"{entry.elapsed_ms / 1000:{_TIME_WIDTH - 1}.3f} ", style="dim")
        line.append_text(
            self._arrow(
                columns, entry.source[0], entry.destination[0], body, label, _STYLES[entry.kind]
            )
        )
        notes = [f"x{row.repeated + 1}"] if row.repeated else []
        notes += [note for note in (entry.note, entry.problem) if note is not None]
        if notes:
            line.append(f"  {', '.join(notes)}", style="dim")
        return line

    def _arrow(
        self,
        columns: dict[str, int],
        source: str,
        destination: str,
        body: str,
        label: str,
        style: str,
        *,
        both: bool = False,
    ) -> Text:
        """The lifelines, and between two of them an arrow with its label in the middle."""
        left, right = sorted((columns[source], columns[destination]))
        rightwards = columns[destination] >= columns[source]
        room = max(0, right - left - 1)
        shown = set_cell_size(label, min(cell_len(label), max(0, room - 6)))
        text = f" {shown} " if shown else ""
        filled = room - cell_len(text)
        arrow = body * (filled // 2) + text + body * (filled - filled // 2)
        if room:
            if rightwards or both:
                arrow = arrow[:-1] + self.glyphs.right
            if not rightwards or both:
                arrow = self.glyphs.left + arrow[1:]
        line = Text()
        for place in sorted(columns.values()):
            if place > left and place <= right:
                if place == right:
                    line.append(arrow, style=style)
                    line.append(self.glyphs.lifeline)
                continue
            line.append(" " * (place - _TIME_WIDTH - cell_len(line.plain)))
            line.append(self.glyphs.lifeline)
        return line

    def _media_lines(self, columns: dict[str, int]) -> list[Text]:
        media = self.media
        assert media is not None
        ours = self._hosts[0]
        theirs = media.source[0] if media.source is not None else media.sent_to[0]
        if theirs not in columns:
            # Media past the proxy: drawn to the host that was called, and named in the label.
            label_host, theirs = f" {theirs}", self._hosts[-1]
        else:
            label_host = ""
        label = f"RTP {media.codec} {media.packets_out} out {media.packets_in} in{label_host}"
        inwards = media.flow is MediaFlow.IN_ONLY
        line = Text(" " * _TIME_WIDTH)
        line.append_text(
            self._arrow(
                columns,
                theirs if inwards else ours,
                ours if inwards else theirs,
                self.glyphs.media,
                label,
                "blue",
                both=media.flow is MediaFlow.BOTH_WAYS,
            )
        )
        line.append(f"  {', '.join(_quality(media))}", style="dim")
        return [line]


def _quality(media: MediaVerdict) -> Iterable[str]:
    """What is worth a glance beside the media arrow."""
    yield media.heard.value.replace("_", " ")
    if media.loss_percent:
        yield f"{media.loss_percent:.1f} % lost"
    if media.jitter_ms is not None:
        yield f"jitter {media.jitter_ms:.1f} ms"
    if media.dtmf_sent:
        yield f"DTMF {media.dtmf_sent} out"
