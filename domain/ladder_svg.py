"""A ladder as one SVG document: nothing to load, nothing to run, readable by a screen reader.

Requests are solid lines with a filled head, responses dashed with an open one, so that the colour
only repeats what shape and words say. The drawing follows the reader's colour scheme.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.ladder import Arrow, Band, Ladder, Lifeline, Remark, Row
from domain.ladder_hosts import OURS
from domain.ladder_style import STYLE
from domain.ladder_text import BOLD, clock, fitting, repeated, span, width_of, wrapped, xml_text
from domain.trace import EntryKind

__all__ = ["ladder_svg"]

_MARGIN = 16.0
_GUTTER = 112.0
_HEAD_TOP = 72.0
_BOX_HEIGHT = 60.0
_BOX_WIDTH = 224.0
_NARROWEST = 264.0  # between lifelines; an arrow with its pills needs about as much
_WIDEST = 480.0
_COMFORTABLE = 960.0
_ARROW_HEIGHT = 38.0
_NOTE_HEIGHT = 16.0
_GAP_HEIGHT = 30.0
_REMARK_HEIGHT = 32.0
_BAND_LINE = 16.0
_BAND_INSET = 12.0
_PILL_HEIGHT = 17.0
_NO_MESSAGES = "No SIP message went either way."


def ladder_svg(ladder: Ladder, *, title: str) -> str:
    """The document; `title` names the call."""
    return "".join(_Drawing(ladder, title).document())


@dataclass(slots=True)
class _Drawing:
    ladder: Ladder
    title: str

    @property
    def spacing(self) -> float:
        gaps = max(1, len(self.ladder.lifelines) - 1)
        return max(_NARROWEST, min(_WIDEST, _COMFORTABLE / gaps))

    @property
    def width(self) -> float:
        gaps = max(1, len(self.ladder.lifelines) - 1)
        return _MARGIN * 2 + _GUTTER + _BOX_WIDTH + gaps * self.spacing

    def x(self, lifeline: int) -> float:
        return _MARGIN + _GUTTER + _BOX_WIDTH / 2 + lifeline * self.spacing

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.ladder.rows or (Remark(text=_NO_MESSAGES),)

    def document(self) -> Iterator[str]:
        top = _HEAD_TOP + _BOX_HEIGHT + 14
        places = []
        for row in self.rows:
            top += _GAP_HEIGHT if isinstance(row, Arrow) and row.after_long_gap else 0
            places.append(top)
            top += self.height(row)
        bottom = top + 8
        width, height = f"{self.width:g}", f"{bottom + _MARGIN:g}"
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" lang="en" '
            f'aria-labelledby="ladder-title ladder-words">'
            f'<title id="ladder-title">{xml_text(self.title)}</title>'
            f'<desc id="ladder-words">{xml_text(self._words())}</desc>'
            f"<style>{STYLE}</style>"
            f'<rect class="paper" width="{width}" height="{height}"/>'
        )
        yield _text(_MARGIN, 32, fitting(self.title, 16 * BOLD, self.width - 2 * _MARGIN), "title")
        yield _text(_MARGIN, 52, self._subtitle(), "muted")
        yield from self._lifelines(bottom, places)
        for row, place in zip(self.rows, places, strict=True):
            yield from self._row(row, place)
        yield "</svg>\n"

    def _subtitle(self) -> str:
        ladder = self.ladder
        parts = []
        if ladder.started_at is not None:
            parts.append(f"{ladder.started_at:%Y-%m-%d} {clock(ladder.started_at)} UTC")
        count = sum(len(arrow.entries) for arrow in ladder.arrows)
        parts.append(f"{count} messages" if count != 1 else "1 message")
        if ladder.post_dial_delay_ms is not None:
            parts.append(f"post-dial delay {span(ladder.post_dial_delay_ms)}")
        if ladder.setup_ms is not None:
            parts.append(f"answered after {span(ladder.setup_ms)}")
        return " · ".join(parts)

    def _lifelines(self, bottom: float, places: list[float]) -> Iterator[str]:
        gaps = [
            (place - _GAP_HEIGHT, place)
            for row, place in zip(self.rows, places, strict=True)
            if isinstance(row, Arrow) and row.after_long_gap
        ]
        for number, lifeline in enumerate(self.ladder.lifelines):
            x = self.x(number)
            top = _HEAD_TOP + _BOX_HEIGHT
            for begins, ends in gaps:
                yield _line(x, top, x, begins, "life")
                yield _line(x, begins, x, ends, "pause")
                top = ends
            yield _line(x, top, x, bottom, "life")
            yield from _box(lifeline, x)

    def _row(self, row: Row, top: float) -> Iterator[str]:
        if isinstance(row, Arrow):
            yield from self._arrow(row, top)
        elif isinstance(row, Band):
            yield from self._band(row, top)
        else:
            words = fitting(row.text, 12, self.width - 2 * _MARGIN - 12)
            yield (
                f'<rect class="paper" x="{_MARGIN:g}" y="{top:g}" '
                f'width="{width_of(words, 12) + 16:g}" height="{_REMARK_HEIGHT - 6:g}"/>'
            )
            yield _line(_MARGIN, top + 2, _MARGIN, top + _REMARK_HEIGHT - 8, "remark")
            yield _text(_MARGIN + 12, top + 17, words, "")

    def _arrow(self, arrow: Arrow, top: float) -> Iterator[str]:
        if arrow.after_long_gap:
            middle = top - _GAP_HEIGHT / 2 + 4
            yield _text(_MARGIN, middle, f"⋮ {span(arrow.delta_ms)} later", "muted small")
        yield _text(_MARGIN, top + 16, clock(arrow.at), "mono")
        delta = "" if arrow.after_long_gap else f"+{span(arrow.delta_ms)}"
        yield _text(_MARGIN, top + 31, delta if arrow.elapsed_ms else "", "muted small")
        answer = "" if arrow.kind in (EntryKind.REQUEST, EntryKind.UNREADABLE) else " answer"
        yield f'<g class="arrow {arrow.kind}{answer}"><title>{xml_text(_tooltip(arrow))}</title>'
        begins, ends = self.x(arrow.source), self.x(arrow.target)
        line = top + 24
        step = 1 if ends > begins else -1
        yield _line(begins, line, ends - step * 8, line)
        head = f"M{ends - step * 9:g} {line - 5:g}L{ends - step:g} {line:g}L{ends - step * 9:g} {line + 5:g}"
        yield (
            f'<path class="open" d="{head}"/>' if answer else f'<path class="closed" d="{head}Z"/>'
        )
        yield from self._caption(arrow, (begins + ends) / 2, abs(ends - begins) - 32, top + 17)
        if arrow.note is not None:
            note = fitting(arrow.note, 11, abs(ends - begins) - 24)
            yield _text((begins + ends) / 2, line + 15, note, "muted small middle halo")
        yield "</g>"

    def _caption(self, arrow: Arrow, middle: float, room: float, base: float) -> Iterator[str]:
        pills = [(arrow.sdp, "pill")] if arrow.sdp is not None else []
        if arrow.retransmissions:
            pills.append((_count(arrow), "pill again"))
        widths = [width_of(words, 11) + 12 for words, _ in pills]
        taken = sum(widths) + 8 * len(widths)
        label = fitting(arrow.label, 13 * BOLD, room - taken)
        if not pills:
            yield _text(middle, base, label, "label halo middle")
            return
        # Its end is what is placed: a font wider than reckoned grows away from the pills.
        left = middle + (width_of(label, 13 * BOLD) - taken) / 2
        yield _text(left, base, label, "label halo end")
        for (words, kind), width in zip(pills, widths, strict=True):
            left += 8
            yield (
                f'<rect class="{kind}" x="{left:g}" y="{base - 13:g}" width="{width:g}" '
                f'height="{_PILL_HEIGHT:g}" rx="6"/>'
            )
            yield _text(left + width / 2, base - 0.5, words, "small middle")
            left += width

    def _band(self, band: Band, top: float) -> Iterator[str]:
        media = band.media
        begins, ends = sorted((self.x(band.source), self.x(band.target)))
        wide = ends - begins - 2 * _BAND_INSET
        yield f'<g class="band {media.state}">'
        yield (
            f'<rect x="{begins + _BAND_INSET:g}" y="{top + 6:g}" width="{wide:g}" '
            f'height="{self.height(band) - 14:g}" rx="8"/>'
        )
        middle, line = (begins + ends) / 2, top + 25
        headline = fitting(f"Media {media.words}", 13 * BOLD, wide - _BAND_INSET)
        yield _text(middle, line, headline, "word middle")
        for words in self.band_lines(band):
            line += _BAND_LINE
            yield _text(middle, line, words, "small middle")
        yield "</g>"

    def band_lines(self, band: Band) -> list[str]:
        room = abs(self.x(band.target) - self.x(band.source)) - 3 * _BAND_INSET
        return [line for words in _media_lines(band) for line in wrapped(words, 11, room)]

    def height(self, row: Row) -> float:
        if isinstance(row, Arrow):
            return _ARROW_HEIGHT + (_NOTE_HEIGHT if row.note is not None else 0)
        if isinstance(row, Band):
            return 46 + _BAND_LINE * len(self.band_lines(row))
        return _REMARK_HEIGHT

    def _words(self) -> str:
        names = [
            "this host" if n == OURS else each.name for n, each in enumerate(self.ladder.lifelines)
        ]
        return "\n".join([self._subtitle() + ".", *(_spoken(row, names) for row in self.rows)])


def _media_lines(band: Band) -> list[str]:
    media = band.media
    other = ", ".join(media.other)
    return [media.title, f"→ {media.outgoing}", f"← {media.incoming}", *([other] if other else [])]


def _box(lifeline: Lifeline, x: float) -> Iterator[str]:
    yield (
        f'<rect class="box" x="{x - _BOX_WIDTH / 2:g}" y="{_HEAD_TOP:g}" width="{_BOX_WIDTH:g}" '
        f'height="{_BOX_HEIGHT:g}" rx="8"/>'
    )
    room = _BOX_WIDTH - 20
    lines = [(fitting(lifeline.name, 13 * BOLD, room), "name")]
    lines += [
        (fitting(words, 11, room), "muted small")
        for words in (_place(lifeline), lifeline.software)
        if words
    ]
    base = _HEAD_TOP + _BOX_HEIGHT / 2 + 5 - 8 * (len(lines) - 1)
    for number, (words, kind) in enumerate(lines):
        yield _text(x, base + 16 * number, words, f"{kind} middle")


def _place(lifeline: Lifeline) -> str:
    address = lifeline.address if lifeline.address != lifeline.name else ""
    ports = ", ".join(map(str, lifeline.ports)) if lifeline.address else ""
    return f"{address} port {ports}".strip() if ports else address


def _count(arrow: Arrow) -> str:
    return repeated(len(arrow.entries), arrow.repeated_ms)


def _tooltip(arrow: Arrow) -> str:
    lines = [f"{arrow.label}, {arrow.transport}, {span(arrow.elapsed_ms)} after the first message"]
    if arrow.retransmissions:
        lines.append(f"sent {arrow.retransmissions + 1} times, the last at {span(arrow.last_ms)}")
    lines += [words for words in (arrow.sdp, arrow.note) if words]
    return "\n".join(lines)


def _spoken(row: Row, names: list[str]) -> str:
    if isinstance(row, Arrow):
        words = [f"{clock(row.at)} {names[row.source]} to {names[row.target]}: {row.label}"]
        if row.retransmissions:
            words.append(f"sent {row.retransmissions + 1} times")
        return ", ".join([*words, *(each for each in (row.sdp, row.note) if each)]) + "."
    if isinstance(row, Band):
        return f"Media {row.media.words}: {', '.join(_media_lines(row))}."
    return row.text


def _text(x: float, y: float, words: str, kind: str) -> str:
    if not words:
        return ""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}">{xml_text(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<line{named} x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'
