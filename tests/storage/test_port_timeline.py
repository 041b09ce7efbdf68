"""The timeline of an order: read on from where one was, with comments for whom they are meant."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import port_timeline as timeline
from storage.engine import Database
from storage.port_timeline import NewEntry
from tests.storage.factories import NOON
from tests.storage.port_rows import placed

pytestmark = pytest.mark.postgres


def an_entry(key: str, *, public: bool = True) -> NewEntry:
    return NewEntry(
        entry_key=key, at=NOON, kind="note", actor="system", text=f"about {key}", public=public
    )


async def test_entries_are_read_on_from_the_last_one(database: Database, org_id: str) -> None:
    new = await placed(database, org_id)
    async with database.tenant(org_id) as session:
        entries = [an_entry(str(number), public=number != 2) for number in range(5)]
        assert await timeline.add(session, new.id, entries) == 5
        assert await timeline.add(session, new.id, [*entries[3:], an_entry("5")]) == 1
        assert await timeline.add(session, new.id, []) == 0
        assert await timeline.add(session, "port_none", entries) is None
        seen: list[str] = []
        after = 0
        while page := await timeline.page(session, new.id, limit=2, after=after):
            seen += [each.entry_key for each in page]
            after = page[-1].id
        inside = await timeline.page(session, new.id, limit=9, public_only=False)
    assert seen == ["0", "1", "3", "4", "5"]
    assert [each.entry_key for each in inside] == ["0", "1", "2", "3", "4", "5"]


async def test_a_comment_is_there_once_and_for_whom_it_is_meant(
    database: Database, org_id: str
) -> None:
    new = await placed(database, org_id)
    async with database.tenant(org_id) as session:
        for comment_id, public in (("one", True), ("one", True), ("two", False)):
            assert await timeline.comment(
                session,
                new.id,
                comment_id=comment_id,
                text=f"comment {comment_id}",
                actor="operator",
                public=public,
                at=NOON,
            )
        assert not await timeline.comment(
            session, "port_none", comment_id="x", text="", actor="customer", public=True, at=NOON
        )
        shown = await timeline.page(session, new.id, limit=9)
        inside = await timeline.page(session, new.id, limit=9, public_only=False)
    assert [each.text for each in shown] == ["comment one"]
    assert [(each.kind, each.text) for each in inside] == [
        ("comment", "comment one"),
        ("comment", "comment two"),
    ]


@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["port_timeline", "port_signature_events"])
async def test_what_happened_is_not_rewritten(
    database: Database, table: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.system() as session:
            await session.execute(text(statement.format(table)))
