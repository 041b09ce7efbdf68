"""The rows of one test call while it goes on: what the calling user agent observes, as it happens."""

from __future__ import annotations

from collections.abc import Callable

from activities.call_backlog import CallBacklog
from activities.call_lines import identity_of, line_of
from activities.call_writer import CallWriter
from activities.contracts import TestCallOrder
from activities.traffic_export import Export
from activities.wire_rows import message_row
from sip.call_facts import DnsFacts, TargetFacts
from sip.dialog_state import CallSnapshot, SessionEvent
from sip.net.wire import WireRecord, utc_now
from storage import calls
from storage.engine import Database
from storage.secret_box import SecretBox

__all__ = ["CallJournal", "read_snapshot", "sealed_snapshot"]

_PURPOSE = "call_snapshot"


class CallJournal:
    """A ``CallObserver`` and an async context manager; leaving it returns once all is committed.

    Only ``save`` waits. ``on_gone`` is called when the call should not go on: its row was ended by
    somebody else, is not there, or cannot be written any more. What of the writes failed is raised
    where the block ends.
    """

    def __init__(
        self,
        writer: CallWriter,
        box: SecretBox,
        order: TestCallOrder,
        *,
        on_gone: Callable[[], None] = lambda: None,
        export: Export = lambda record: None,
    ) -> None:
        self._writer = writer
        self._box = box
        self._order = order
        self._on_gone = on_gone
        self._export = export
        self._backlog: CallBacklog
        self._invite: str | None = None

    async def __aenter__(self) -> CallJournal:
        order = self._order
        self._backlog = self._writer.open(order.call_id, order.org_id, on_gone=self._on_gone)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._writer.close(self._backlog)

    def wire(self, record: WireRecord) -> None:
        """Keep a SIP message as it was on the wire."""
        order = self._order
        self._backlog.put(message_row(order.org_id, calls.OWNER_KIND, order.call_id, record))
        self._export(record)

    def event(self, event: SessionEvent | TargetFacts | DnsFacts) -> None:
        """Keep what happened, when it is a line or changes the row."""
        line = line_of(event, utc_now())
        if line is None:
            return
        if line.event is not None:
            self._backlog.put(line.event)
        if line.progress:
            self._backlog.note(line.progress)

    async def save(self, snapshot: CallSnapshot) -> None:
        """Keep what ends the call from another process; returns once it is committed.

        Raises ``DatabaseUnavailable``.
        """
        if snapshot.invite != self._invite:
            self._invite = snapshot.invite
            self._backlog.note(identity_of(snapshot))
        await self._backlog.save(sealed_snapshot(self._box, self._order, snapshot))


def sealed_snapshot(box: SecretBox, order: TestCallOrder, snapshot: CallSnapshot) -> bytes | None:
    """The snapshot as it is kept, ``None`` when nothing is left to be ended."""
    if snapshot.is_over:
        return None
    return box.seal(snapshot.to_json().encode(), purpose=_PURPOSE, org_id=order.org_id)


async def read_snapshot(
    database: Database, box: SecretBox, order: TestCallOrder
) -> CallSnapshot | None:
    """The kept snapshot. Raises ``DatabaseUnavailable`` and ``SecretBoxError``."""
    async with database.tenant(order.org_id) as session:
        sealed = await calls.snapshot(session, order.call_id)
    if sealed is None:
        return None
    text = box.open(sealed, purpose=_PURPOSE, org_id=order.org_id)
    return CallSnapshot.from_json(text.decode())
