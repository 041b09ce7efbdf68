"""The trace of a test call, as it stands, in each of its forms."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import InvalidRequest, NotFound
from api.schemas.call_traces import TraceView
from api.services.captured_messages import captured
from api.state import ApiState
from domain.ladder import Ladder, Remark, ladder_of
from domain.ladder_mermaid import ladder_mermaid
from domain.ladder_svg import ladder_svg
from domain.trace import TraceEntry, trace_of
from sip.call_facts import CallFacts
from sip.capture import CapturedMessage
from sip.pcap import LinkType, pcap_of
from storage import calls
from storage.tables import Call

__all__ = ["capture_of", "mermaid_of", "svg_of", "trace_view_of"]

MOST_MESSAGES: Final = 1_000
"""Shown of one call: a peer that floods us must fill neither memory nor screen. A call has about 20."""

MOST_OCTETS: Final = 4 * 1024 * 1024
"""The same for its messages together."""

PAGE: Final = 100
"""Rows of one read."""

_FACTS: Final[TypeAdapter[CallFacts]] = TypeAdapter(CallFacts)

_LEFT_OUT: Final = Remark(text="More messages followed, too many to show.")

_Form = TypeVar("_Form")


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A call and what was recorded of it, secrets still in it."""

    call: Call
    messages: Sequence[CapturedMessage]
    truncated: bool
    hide_numbers: bool

    def entries(self) -> tuple[TraceEntry, ...]:
        return trace_of(self.messages, hide_numbers=self.hide_numbers)

    def ladder(self, entries: Sequence[TraceEntry]) -> Ladder:
        stored = self.call.details.get("facts")
        facts = None if stored is None else _FACTS.validate_python(stored)
        ladder = ladder_of(entries, facts)
        return replace(ladder, rows=(*ladder.rows, _LEFT_OUT)) if self.truncated else ladder

    @property
    def title(self) -> str:
        number = "" if self.hide_numbers else f", number {self.call.number}"
        return f"Test call {self.call.id}{number}"


async def trace_view_of(
    state: ApiState, principal: Principal, call_id: str, *, hide_numbers: bool
) -> TraceView:
    """Every message with what it says. Raises ``NotFound``."""

    def view(recorded: _Recorded) -> TraceView:
        entries = recorded.entries()
        return TraceView.of(
            recorded.call.id,
            entries,
            recorded.ladder(entries),
            ended=recorded.call.ended_at is not None,
            truncated=recorded.truncated,
        )

    return await _formed(state, principal, call_id, view, hide_numbers=hide_numbers)


async def svg_of(state: ApiState, principal: Principal, call_id: str, *, hide_numbers: bool) -> str:
    """The ladder as an SVG document. Raises ``NotFound``."""

    def drawn(recorded: _Recorded) -> str:
        return ladder_svg(recorded.ladder(recorded.entries()), title=recorded.title)

    return await _formed(state, principal, call_id, drawn, hide_numbers=hide_numbers)


async def mermaid_of(
    state: ApiState, principal: Principal, call_id: str, *, hide_numbers: bool
) -> str:
    """The ladder as a Mermaid sequence diagram. Raises ``NotFound``."""

    def written(recorded: _Recorded) -> str:
        return ladder_mermaid(recorded.ladder(recorded.entries()), title=recorded.title)

    return await _formed(state, principal, call_id, written, hide_numbers=hide_numbers)


async def capture_of(
    state: ApiState,
    principal: Principal,
    call_id: str,
    *,
    hide_numbers: bool,
    link: LinkType | None,
) -> bytes:
    """A capture file. Raises ``NotFound``, and ``InvalidRequest`` for messages that ``link`` cannot hold."""

    def file(recorded: _Recorded) -> bytes:
        shown = (each.masked(hide_numbers=hide_numbers) for each in recorded.messages)
        try:
            return pcap_of(shown, link=link)
        except ValueError as error:
            if link is not LinkType.IP:
                raise
            raise InvalidRequest(
                f"These messages cannot be written as IP packets: {error}.", field="link"
            ) from error

    return await _formed(state, principal, call_id, file, hide_numbers=hide_numbers)


async def _formed(
    state: ApiState,
    principal: Principal,
    call_id: str,
    form: Callable[[_Recorded], _Form],
    *,
    hide_numbers: bool,
) -> _Form:
    """Read the call, then work on its messages outside the event loop: a flood takes half a second."""
    async with state.database.tenant(principal.org_id) as session:
        call = await calls.get_test(session, call_id)
        if call is None:
            raise NotFound("no such test call")
        messages, truncated = await _messages(session, call)
    return await to_thread(form, _Recorded(call, messages, truncated, hide_numbers))


async def _messages(session: AsyncSession, call: Call) -> tuple[list[CapturedMessage], bool]:
    """The messages up to the limits, and whether there are more."""
    found: list[CapturedMessage] = []
    octets = read_up_to = 0
    while page := await calls.messages(session, call, after_seq=read_up_to, limit=PAGE):
        for row in page:
            octets += len(row.data)
            if len(found) == MOST_MESSAGES or octets > MOST_OCTETS:
                return found, True
            found.append(captured(row))
        read_up_to = page[-1].seq
    return found, False
