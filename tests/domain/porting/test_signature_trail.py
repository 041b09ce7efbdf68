"""The chain of a signature's events: whatever is done to it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.porting.signature_trail import (
    GENESIS,
    SignatureAction,
    TrailEntry,
    TrailEvent,
    append,
    first_break,
)

AT = datetime(2026, 3, 3, 15, tzinfo=UTC)
TEXT = st.text(max_size=8)
FEW = settings(max_examples=40)
EVENTS = st.builds(
    TrailEvent,
    action=st.sampled_from(SignatureAction),
    at=st.integers(0, 10**9).map(lambda micro: AT + timedelta(microseconds=micro)),
    actor=TEXT,
    email=TEXT,
    ip=TEXT,
    user_agent=TEXT,
    note=TEXT,
)


def chain(events: list[TrailEvent]) -> list[TrailEntry]:
    entries: list[TrailEntry] = []
    for event in events:
        entries.append(append(entries[-1] if entries else None, event))
    return entries


@FEW
@given(st.lists(EVENTS, max_size=6))
def test_a_chain_that_was_kept_follows_also_after_json(events: list[TrailEvent]) -> None:
    entries = chain(events)
    assert [each.seq for each in entries] == list(range(1, len(events) + 1))
    assert first_break(entries) is None
    read = [TrailEntry.model_validate_json(each.model_dump_json()) for each in entries]
    assert first_break(read) is None


@FEW
@given(st.lists(EVENTS, min_size=1, max_size=6), st.data())
def test_an_event_that_was_changed_shows(events: list[TrailEvent], data: st.DataObject) -> None:
    entries = chain(events)
    place = data.draw(st.integers(0, len(entries) - 1))
    forged = entries[place].event.model_copy(update={"note": entries[place].event.note + "x"})
    entries[place] = entries[place].model_copy(update={"event": forged})
    assert first_break(entries) == place


@FEW
@given(st.lists(EVENTS, min_size=2, max_size=6), st.data())
def test_an_event_that_was_left_out_or_moved_shows(
    events: list[TrailEvent], data: st.DataObject
) -> None:
    entries = chain(events)
    place = data.draw(st.integers(0, len(entries) - 2))
    without = entries[:place] + entries[place + 1 :]
    assert first_break(without) == place
    swapped = [*entries]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert first_break(swapped) == place


def test_the_first_entry_follows_nothing() -> None:
    entry = append(None, TrailEvent(action=SignatureAction.LINK_SENT, at=AT, actor="system"))
    assert (entry.seq, entry.previous) == (1, GENESIS)
    assert len(entry.hash) == 64


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    here = AT.astimezone(timezone(timedelta(hours=9)))
    one, two = (
        append(None, TrailEvent(action=SignatureAction.SIGNED, at=at, actor="Jane Doe"))
        for at in (AT, here)
    )
    assert one.hash == two.hash
