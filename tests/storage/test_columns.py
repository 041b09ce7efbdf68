"""Values on their way into PostgreSQL and back."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import default
from sqlalchemy.exc import StatementError

from storage import audit
from storage.audit import Actor
from storage.columns import Json, json_text, storable
from storage.engine import Database
from storage.tables import CallDirection, Organization
from tests.storage.factories import NOON

HOSTILE = "Aster\x00isk \ud800\udfff ü 电话"


def test_nul_and_lone_surrogates_become_replacement_characters() -> None:
    assert storable("a\x00b\ud83dc") == "a\ufffdb\ufffdc"
    assert storable({"k\x00": ["\x00", 1, None, ("\udc80",)]}) == {
        "k\ufffd": ["\ufffd", 1, None, ["\ufffd"]]
    }


@given(st.text())
def test_only_what_cannot_be_stored_is_replaced(text: str) -> None:
    stored = storable(text)
    assert len(stored) == len(text)
    stored.encode("utf-8")
    for before, after in zip(text, stored, strict=True):
        assert after == before or (after == "\ufffd" and (before == "\x00" or before >= "\ud800"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
)


@given(JSON | st.sampled_from(["a\x00b", {"\x00": 1}, [{"a": "\ud800"}], "\\u0000", "😀"]))
def test_json_is_bound_as_it_can_be_stored(value: Any) -> None:
    assert Json().process_bind_param(value, default.DefaultDialect()) == storable(value)


async def test_hostile_text_of_a_peer_is_written_and_read(database: Database, org_id: str) -> None:
    facts: dict[str, Any] = {"server": HOSTILE, "allow": [HOSTILE]}
    async with database.tenant(org_id) as session:
        await audit.append(
            session,
            org_id=org_id,
            actor=Actor("system"),
            action="test.write",
            subject_kind="test",
            subject_id="x",
            request_id=HOSTILE,
            after=facts,
        )
    async with database.tenant(org_id) as session:
        (entry,) = await audit.entries(session, org_id, limit=1)
    assert entry.request_id == storable(HOSTILE)
    assert entry.after == storable(facts)
    assert entry.before is None


async def test_times_come_back_in_utc(database: Database, org_id: str) -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    async with database.tenant(org_id) as session:
        organization = await session.get_one(Organization, org_id)
        organization.signing_secret_set_at = tokyo
    async with database.tenant(org_id) as session:
        read = (await session.get_one(Organization, org_id)).signing_secret_set_at
    assert read == NOON
    assert read is not None
    assert read.utcoffset() == timedelta(0)


async def test_a_time_without_a_zone_is_refused(database: Database, org_id: str) -> None:
    async def write() -> None:
        async with database.tenant(org_id) as session:
            organization = await session.get_one(Organization, org_id)
            organization.signing_secret_set_at = NOON.replace(tzinfo=None)

    with pytest.raises(StatementError, match="has no time zone"):
        await write()


def test_rows_as_json_hold_times_words_and_only_what_can_be_stored() -> None:
    value = [
        {"at": NOON, "word": CallDirection.INBOUND, "text": "a\x00b\udcff", "fine": "\U0001f4de"}
    ]
    assert json.loads(json_text(value)) == [
        {"at": NOON.isoformat(), "word": "inbound", "text": "a\ufffdb\ufffd", "fine": "\U0001f4de"}
    ]
