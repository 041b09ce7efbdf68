"""Who watches a call, and what it is told."""

from __future__ import annotations

from typing import Protocol

from sip.call_facts import DnsFacts, TargetFacts
from sip.dialog_state import CallSnapshot, SessionEvent
from sip.net.wire import WireRecord

__all__ = ["CallEvent", "CallObserver"]

CallEvent = SessionEvent | TargetFacts | DnsFacts
"""What happens in a call. ``at`` of a session event is the loop's clock."""


class CallObserver(Protocol):
    """Gets all that happens in one call; ``wire`` and ``event`` are in the loop and must not block."""

    def wire(self, record: WireRecord) -> None:
        """A SIP message as it is on the wire, at once."""

    async def save(self, snapshot: CallSnapshot) -> None:
        """Store what ends the call if this process dies; its messages leave when this returns.

        What it raises ends the call: CANCEL or BYE are sent, then `place_call` raises it too.
        """

    def event(self, event: CallEvent) -> None:
        """Something happened. Of several `TargetFacts` for one target the last counts."""
