"""The trace of a call, as it stands, in each of its forms.

Each is made outside the event loop: a flood of messages takes half a second.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from api.errors import InvalidRequest
from api.schemas.call_traces import TraceView
from api.services.recordings import Recording
from domain.ladder import Ladder, Remark, ladder_of
from domain.ladder_mermaid import ladder_mermaid
from domain.ladder_svg import ladder_svg
from domain.trace import TraceEntry, trace_of
from sip.pcap import LinkType, pcap_of

__all__ = ["capture_of", "mermaid_of", "svg_of", "trace_view_of"]

_LEFT_OUT: Final = Remark(text="More messages followed, too many to show.")


@dataclass(frozen=True, slots=True)
class _Shown:
    """A recording and how it is to be shown."""

    recording: Recording
    hide_numbers: bool

    def entries(self) -> tuple[TraceEntry, ...]:
        return trace_of(self.recording.messages, hide_numbers=self.hide_numbers)

    def ladder(self, entries: Sequence[TraceEntry]) -> Ladder:
        recording = self.recording
        our_name = "Trunkline" if recording.ours else None
        ladder = ladder_of(entries, recording.facts, our_name=our_name)
        return replace(ladder, rows=(*ladder.rows, _LEFT_OUT)) if recording.truncated else ladder

    @property
    def title(self) -> str:
        recording = self.recording
        kind = "Test call" if recording.ours else "Call"
        shown = not self.hide_numbers and recording.number is not None
        number = f", number {recording.number}" if shown else ""
        return f"{kind} {recording.id}{number}"


async def trace_view_of(recording: Recording, *, hide_numbers: bool) -> TraceView:
    """Every message with what it says."""
    shown = _Shown(recording, hide_numbers)

    def view() -> TraceView:
        entries = shown.entries()
        return TraceView.of(
            recording.id,
            entries,
            shown.ladder(entries),
            ended=recording.ended,
            truncated=recording.truncated,
        )

    return await to_thread(view)


async def svg_of(recording: Recording, *, hide_numbers: bool) -> str:
    """The ladder as an SVG document."""
    shown = _Shown(recording, hide_numbers)
    return await to_thread(lambda: ladder_svg(shown.ladder(shown.entries()), title=shown.title))


async def mermaid_of(recording: Recording, *, hide_numbers: bool) -> str:
    """The ladder as a Mermaid sequence diagram."""
    shown = _Shown(recording, hide_numbers)
    return await to_thread(lambda: ladder_mermaid(shown.ladder(shown.entries()), title=shown.title))


async def capture_of(recording: Recording, *, hide_numbers: bool, link: LinkType | None) -> bytes:
    """A capture file. Raises ``InvalidRequest`` for messages that ``link`` cannot hold."""

    def file() -> bytes:
        shown = (each.masked(hide_numbers=hide_numbers) for each in recording.messages)
        try:
            return pcap_of(shown, link=link)
        except ValueError as error:
            if link is not LinkType.IP:
                raise
            raise InvalidRequest(
                f"These messages cannot be written as IP packets: {error}.", field="link"
            ) from error

    return await to_thread(file)
