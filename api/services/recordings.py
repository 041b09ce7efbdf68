"""What was recorded of a call: of a test call, or of any call of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import NotFound
from api.services.captured_messages import captured
from api.services.logged_calls import found_call
from api.state import ApiState
from sip.call_facts import CallFacts
from sip.capture import CapturedMessage
from storage import calls, live_calls
from storage.call_pages import LoggedCall
from storage.tables import Call, SipMessage

__all__ = ["Recording", "of_logged_call", "of_test_call"]

MOST_MESSAGES: Final = 1_000
"""Shown of one call: a peer that floods us must fill neither memory nor screen. A call has about 20."""

MOST_OCTETS: Final = 4 * 1024 * 1024
"""The same for its messages together."""

PAGE: Final = 100
"""Rows of one read."""

_FACTS: Final[TypeAdapter[CallFacts]] = TypeAdapter(CallFacts)

_Read = Callable[[int], Awaitable[Sequence[SipMessage]]]


@dataclass(frozen=True, slots=True)
class Recording:
    """A call's messages, secrets still in them.

    ``facts`` are those of a test call that has ended. ``ours``: this installation was one of its ends.
    ``truncated``: there are more messages than are shown of a call.
    """

    id: str
    number: str | None
    ended: bool
    ours: bool
    facts: CallFacts | None
    messages: Sequence[CapturedMessage]
    truncated: bool


async def of_test_call(state: ApiState, principal: Principal, call_id: str) -> Recording:
    """Raises ``NotFound``."""
    async with state.database.tenant(principal.org_id) as session:
        call = await calls.get_test(session, call_id)
        if call is None:
            raise NotFound("no such test call")
        return await _of_test(session, call)


async def of_logged_call(state: ApiState, principal: Principal, key: str) -> Recording:
    """Of the call with this id or Call-ID. Raises ``NotFound``."""
    async with found_call(state, principal, key) as (session, call):
        return await recording_of(session, call)


async def recording_of(session: AsyncSession, call: LoggedCall) -> Recording:
    """What was recorded of a call of the log, in the session that found it."""
    if not call.live:
        test = await calls.get(session, call.id)
        if test is None:
            raise NotFound("no such call")
        return await _of_test(session, test)

    async def read(after_seq: int) -> Sequence[SipMessage]:
        return await live_calls.messages(session, call, after_seq=after_seq, limit=PAGE)

    messages, truncated = await _messages(read)
    # As they were captured: exporters' packets come in any order.
    messages.sort(key=lambda message: message.at)
    return Recording(call.id, call.number, call.ended, False, None, messages, truncated)


async def _of_test(session: AsyncSession, call: Call) -> Recording:
    async def read(after_seq: int) -> Sequence[SipMessage]:
        return await calls.messages(session, call, after_seq=after_seq, limit=PAGE)

    messages, truncated = await _messages(read)
    stored = call.details.get("facts")
    facts = None if stored is None else _FACTS.validate_python(stored)
    ended = call.ended_at is not None
    return Recording(call.id, call.number, ended, True, facts, messages, truncated)


async def _messages(read: _Read) -> tuple[list[CapturedMessage], bool]:
    """The messages up to the limits, and whether there are more."""
    found: list[CapturedMessage] = []
    octets = read_up_to = 0
    while page := await read(read_up_to):
        for row in page:
            octets += len(row.data)
            if len(found) == MOST_MESSAGES or octets > MOST_OCTETS:
                return found, True
            found.append(captured(row))
        read_up_to = page[-1].seq
    return found, False
