"""Sealing again, with the current key, what older keys sealed: beside everything else that runs.

A sealed value names its key, so the rows themselves say what is left to do: whoever is killed is
resumed by whoever starts next. A batch is one short transaction that locks the rows it writes, waits
for nobody, and does not disturb rows that refer to them (FOR NO KEY UPDATE SKIP LOCKED); a row that
somebody else holds is met again in the next round.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.engine import IDLE_IN_TRANSACTION_TIMEOUT, Database
from storage.sealed_columns import SEALED_COLUMNS, SealedColumn
from storage.secret_box import HEAD_BYTES, MalformedToken, SecretBox, SecretBoxError, key_id_of

__all__ = ["BATCH_SIZE", "UNREADABLE", "Batch", "Tally", "Unopened", "rotate", "survey"]

BATCH_SIZE: Final = 500
"""Rows that a batch looks at, sealed or not, so that none takes long however few are."""

PATIENCE: Final = IDLE_IN_TRANSACTION_TIMEOUT + timedelta(seconds=5)
"""Nobody who does nothing holds a row for longer."""

_PAUSE: Final = timedelta(milliseconds=200)

UNREADABLE: Final = ""
"""Stands for the key of a value that is not a sealed one; no key has this id."""

Key: TypeAlias = tuple[Any, ...]
"""Primary key of a row."""


@dataclass(frozen=True, slots=True)
class Unopened:
    """A value that the ring does not open: which one and why, without its content."""

    column: SealedColumn
    key: Key
    reason: str

    def __str__(self) -> str:
        return f"{self.column} of {'/'.join(str(part) for part in self.key)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a stretch of rows in the order of their primary key.

    ``found`` counts the sealed values by key id as they were; ``held`` counts old ones that somebody
    else had locked. ``last`` is where the next batch goes on; ``None`` after the last row.
    """

    column: SealedColumn
    found: Counter[str]
    resealed: int
    held: int
    unopened: tuple[Unopened, ...]
    last: Key | None


@dataclass(slots=True)
class Tally:
    """What became of all of them. ``found`` counts by column and key id."""

    found: dict[SealedColumn, Counter[str]] = field(default_factory=dict)
    resealed: int = 0
    held: int = 0
    unopened: list[Unopened] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.found.setdefault(batch.column, Counter()).update(batch.found)
        self.resealed += batch.resealed
        self.held += batch.held
        self.unopened += batch.unopened


Watch: TypeAlias = Callable[[Batch], None]


async def survey(
    database: Database,
    box: SecretBox,
    *,
    columns: Sequence[SealedColumn] = SEALED_COLUMNS,
    size: int = BATCH_SIZE,
    on_batch: Watch = lambda _batch: None,
) -> Tally:
    """Count what is sealed with which key, and open what is not the current key's.

    Writes nothing and locks nothing. Raises ``DatabaseUnavailable``.
    """
    return await _walk(database, box, columns, size, on_batch, writing=False)


async def rotate(
    database: Database,
    box: SecretBox,
    *,
    columns: Sequence[SealedColumn] = SEALED_COLUMNS,
    size: int = BATCH_SIZE,
    patience: timedelta = PATIENCE,
    on_batch: Watch = lambda _batch: None,
) -> int:
    """Seal again what older keys sealed; the number of values that were.

    What the ring does not open stays as it is, and so does what somebody else holds for longer than
    ``patience``; ``survey`` tells of both. Nothing else of a row changes, not even the time of its
    last change. Raises ``DatabaseUnavailable``; what was done until then is done.
    """
    resealed = 0
    wanted = columns
    give_up = time.monotonic() + patience.total_seconds()
    while True:
        tally = await _walk(database, box, wanted, size, on_batch, writing=True)
        resealed += tally.resealed
        if tally.resealed:
            give_up = time.monotonic() + patience.total_seconds()
        if not tally.held or time.monotonic() > give_up:
            return resealed
        await asyncio.sleep(_PAUSE.total_seconds())


async def _walk(
    database: Database,
    box: SecretBox,
    columns: Sequence[SealedColumn],
    size: int,
    on_batch: Watch,
    *,
    writing: bool,
) -> Tally:
    tally = Tally()
    for column in columns:
        last: Key | None = None
        while True:
            async with database.system() as session:
                batch = await _batch(session, box, column, last, size, writing=writing)
            tally.add(batch)
            on_batch(batch)
            if batch.last is None:
                break
            last = batch.last
    return tally


async def _batch(
    session: AsyncSession,
    box: SecretBox,
    column: SealedColumn,
    after: Key | None,
    size: int,
    *,
    writing: bool,
) -> Batch:
    found, old, last = await _page(session, box, column, after, size)
    rows = await _rows(session, column, old, lock=writing)
    resealed, unopened = _opened(box, column, rows)
    if not writing:
        return Batch(column, found, 0, 0, unopened, last)
    if resealed:
        await _write(session, column, resealed)
    return Batch(column, found, len(resealed), len(old) - len(rows), unopened, last)


async def _write(
    session: AsyncSession, column: SealedColumn, resealed: Sequence[tuple[Key, bytes]]
) -> None:
    names = [f"key_{part.name}" for part in column.key]
    keys = (
        part == bindparam(name, type_=part.type)
        for part, name in zip(column.key, names, strict=True)
    )
    connection = await session.connection()
    await connection.execute(
        update(column.table).where(*keys).values({column.name: bindparam("resealed")}),
        [{**dict(zip(names, key, strict=True)), "resealed": token} for key, token in resealed],
    )


async def _page(
    session: AsyncSession, box: SecretBox, column: SealedColumn, after: Key | None, size: int
) -> tuple[Counter[str], list[Key], Key | None]:
    """Key ids of the next values, the rows among them with old ones, and where the page ends."""
    head = func.substring(column.sealed, 1, HEAD_BYTES)
    page = select(*column.key, head).order_by(*column.key)
    if after is not None:
        page = page.where(tuple_(*column.key) > tuple_(*after))
    found: Counter[str] = Counter()
    old: list[Key] = []
    key: Key | None = None
    rows = (await session.execute(page.limit(size))).all()
    for *parts, start in rows:
        key = tuple(parts)
        if start is None:
            continue
        try:
            key_id = key_id_of(start)
        except MalformedToken:
            key_id = UNREADABLE
        found[key_id] += 1
        if key_id != box.current:
            old.append(key)
    return found, old, key if len(rows) == size else None


async def _rows(
    session: AsyncSession, column: SealedColumn, keys: Sequence[Key], *, lock: bool = False
) -> Sequence[Any]:
    if not keys:
        return ()
    wanted = (
        select(*column.binding, column.sealed)
        .where(tuple_(*column.key).in_(keys), column.sealed.is_not(None))
        .order_by(*column.key)
    )
    if lock:
        wanted = wanted.with_for_update(key_share=True, skip_locked=True)
    return (await session.execute(wanted)).all()


def _opened(
    box: SecretBox, column: SealedColumn, rows: Sequence[Any]
) -> tuple[list[tuple[Key, bytes]], tuple[Unopened, ...]]:
    """The values sealed anew, of those that still are an old key's, and those that do not open."""
    resealed: list[tuple[Key, bytes]] = []
    unopened: list[Unopened] = []
    names = [part.name for part in column.binding]
    for *bound, token in rows:
        key = tuple(bound[: len(column.key)])
        facts = dict(zip(names, bound, strict=True))
        purpose, org_id = column.purpose(facts), column.org_id(facts)
        try:
            if box.needs_resealing(token):
                secret = box.open(token, purpose=purpose, org_id=org_id)
                resealed.append((key, box.seal(secret, purpose=purpose, org_id=org_id)))
        except SecretBoxError as error:
            unopened.append(Unopened(column, key, str(error)))
    return resealed, tuple(unopened)
