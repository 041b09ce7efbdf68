"""Whose the numbers of calls are, remembered for a moment: a flood of calls has few of our numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic
from typing import Final

from capture.patience import patiently
from domain.live_call_match import Owner
from storage.engine import Database
from storage.number_owners import owners_of

__all__ = ["Owners"]

REMEMBERED_FOR: Final = 5.0
"""Seconds; as long as a key's role: what a customer changes holds for the next call but few."""

MOST: Final = 50_000


class Owners:
    """Reads owners from the database, each number at most once in some seconds."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = monotonic) -> None:
        self._database, self._clock = database, clock
        self._known: dict[str, tuple[float, Sequence[Owner]]] = {}

    async def of(self, numbers: Collection[str]) -> Mapping[str, Sequence[Owner]]:
        """The owners of these numbers, nobody's left out; waits for the database."""
        now = self._clock()
        fresh = {
            number: known
            for number in numbers
            if (known := self._known.get(number)) is not None and now - known[0] < REMEMBERED_FOR
        }
        asked = [number for number in numbers if number not in fresh]
        if asked:

            async def read() -> Mapping[str, Sequence[Owner]]:
                async with self._database.system() as session:
                    return await owners_of(session, asked)

            found = await patiently(read)
            if len(self._known) + len(asked) > MOST:
                self._known.clear()
            for number in asked:
                fresh[number] = self._known[number] = (now, found.get(number, ()))
        return {number: owners for number, (_, owners) in fresh.items() if owners}
