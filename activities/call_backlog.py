"""What one call has to write, until it is committed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.call_state import statuses_before
from storage.call_batches import CallChanges
from storage.calls import NewEvent
from storage.errors import DatabaseUnavailable
from storage.sip_messages import NewMessage

__all__ = ["Allowance", "CallBacklog", "Taken"]

ROW_BYTES = 256
"""Counted for each row beside its text."""


@dataclass(slots=True)
class Allowance:
    """How many rows, and how many bytes of them, still fit."""

    rows: int
    size: int


@dataclass(slots=True)
class Taken:
    """Changes of a call on their way into the database, and who waits for them."""

    changes: CallChanges
    saves: list[asyncio.Future[None]]
    size: int


class CallBacklog:
    """Everything of one call that waits. ``put`` and ``note`` never block.

    ``wake`` is called when there is something to write, ``on_gone`` when the call should not go on:
    its row was ended by somebody else, is not there, or cannot be written. ``room`` is what all
    backlogs of a process together may hold: what does not fit is counted in ``dropped`` and not
    kept, except progress and the snapshot, of which the last replaces the others. ``patience`` is
    in seconds.
    """

    def __init__(
        self,
        call_id: str,
        org_id: str,
        *,
        wake: Callable[[CallBacklog], None],
        on_gone: Callable[[], None],
        room: Allowance,
        patience: float,
    ) -> None:
        self.call_id, self.org_id = call_id, org_id
        self.on_gone = on_gone
        self.error: BaseException | None = None
        self.dropped = 0
        self._wake, self._room, self._patience = wake, room, patience
        self._rows: deque[NewMessage | NewEvent] = deque()
        self._progress: Mapping[str, Any] = {}
        self._snapshot: bytes | None = None
        self._saves: list[asyncio.Future[None]] = []
        self._in_flight = False
        self._idle: list[asyncio.Future[None]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._rows or self._progress or self._saves)

    def put(self, row: NewMessage | NewEvent) -> None:
        """Hand over one row."""
        size = _size(row)
        if self.error is not None or self._room.rows < 1 or self._room.size < size:
            self.dropped += 1
            return
        self._room.rows -= 1
        self._room.size -= size
        self._rows.append(row)
        self._wake(self)

    def note(self, progress: Mapping[str, Any]) -> None:
        """Hand over what changes the call's row (``storage.calls.progress``)."""
        if self.error is None:
            self._progress = _merged(self._progress, progress)
            self._wake(self)

    async def save(self, sealed: bytes | None) -> None:
        """Keep a snapshot, or with ``None`` forget it; returns once it is committed.

        Raises ``DatabaseUnavailable`` after ``patience`` seconds, and what made the call's rows
        impossible to write. A snapshot that came too late is written all the same when it can be.
        """
        if self.error is not None:
            raise self.error
        saved = asyncio.get_running_loop().create_future()
        self._snapshot = sealed
        self._saves.append(saved)
        self._wake(self)
        await _within(saved, self._patience)

    async def written(self) -> None:
        """Return once nothing waits any more. Raises as ``save`` does."""
        if self.error is None and (self._in_flight or not self.is_empty):
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await _within(idle, self._patience)
        if self.error is not None:
            raise self.error

    def take(self, allowance: Allowance) -> Taken:
        """What goes into the next transaction; ``done``, ``put_back`` or ``fail`` follows."""
        count = size = 0
        for row in self._rows:
            if count >= allowance.rows or (count and size + _size(row) > allowance.size):
                break
            count, size = count + 1, size + _size(row)
        rows = [self._rows.popleft() for _ in range(count)]
        allowance.rows -= count
        allowance.size -= size
        changes = CallChanges(
            call_id=self.call_id,
            org_id=self.org_id,
            messages=[row for row in rows if isinstance(row, NewMessage)],
            events=[row for row in rows if isinstance(row, NewEvent)],
            progress=self._progress,
            saves=bool(self._saves),
            sealed=self._snapshot,
        )
        taken = Taken(changes, self._saves, size)
        self._progress, self._saves, self._in_flight = {}, [], True
        return taken

    def done(self, taken: Taken) -> None:
        """What was taken is committed."""
        self._in_flight = False
        self._room.rows += len(taken.changes.messages) + len(taken.changes.events)
        self._room.size += taken.size
        _settle(taken.saves)
        if self.is_empty:
            _settle(self._idle)
            self._idle = []

    def put_back(self, taken: Taken) -> None:
        """What was taken could not be written now; it goes before what came meanwhile."""
        self._in_flight = False
        changes = taken.changes
        self._rows.extendleft(reversed(changes.events))
        self._rows.extendleft(reversed(changes.messages))
        self._progress = _merged(changes.progress, self._progress)
        if changes.saves and not self._saves:
            self._snapshot = changes.sealed
        self._saves = taken.saves + self._saves

    def fail(self, error: BaseException, taken: Taken | None = None) -> None:
        """Nothing of the call can be written any more: forget it and say so."""
        if self.error is not None:
            return
        self.error = error
        self._in_flight = False
        if taken is not None:
            self._room.rows += len(taken.changes.messages) + len(taken.changes.events)
            self._room.size += taken.size
            self._saves = taken.saves + self._saves
        self._room.rows += len(self._rows)
        self._room.size += sum(map(_size, self._rows))
        self._rows.clear()
        self._progress = {}
        for waiting in (*self._saves, *self._idle):
            if not waiting.done():
                waiting.set_exception(error)
        self._saves, self._idle = [], []
        self.on_gone()


def _size(row: NewMessage | NewEvent) -> int:
    return ROW_BYTES + len(row.data if isinstance(row, NewMessage) else row.detail)


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both, the later one's values last; a status never steps back."""
    if not before:
        return after
    merged = {**before, **after}
    was, new = before.get("status"), after.get("status")
    if was is not None and new is not None and was not in statuses_before(new):
        merged["status"] = was
    return merged


def _settle(waiting: list[asyncio.Future[None]]) -> None:
    for each in waiting:
        if not each.done():
            each.set_result(None)


async def _within(waiting: asyncio.Future[None], patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await waiting
    except TimeoutError:
        raise DatabaseUnavailable(
            f"nothing of the call could be written within {patience:g} seconds"
        ) from None
