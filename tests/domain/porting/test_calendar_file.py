"""Calendar files: what RFC 5545 asks of lines and texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from domain.porting.calendar_file import calendar_file

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def made(summary: str = "Port", description: str = "", sequence: int = 0) -> str:
    return calendar_file(
        "port_x@trunkline",
        starts_at=datetime(2026, 3, 12, 11, 30, tzinfo=timezone(timedelta(hours=-5))),
        summary=summary,
        description=description,
        made_at=NOON,
        sequence=sequence,
    )


def test_an_event_of_an_hour_is_written_in_utc() -> None:
    lines = made(sequence=2).split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTAMP:20260309T120000Z" in lines
    assert "DTSTART:20260312T163000Z" in lines
    assert "DTEND:20260312T173000Z" in lines
    assert "SEQUENCE:2" in lines


def test_what_has_a_meaning_in_a_calendar_is_escaped() -> None:
    text = made(description="a, b; c\\d\nBEGIN:VEVENT\r\x00e")
    assert "DESCRIPTION:a\\, b\\; c\\\\d\\nBEGIN:VEVENT\\ne\r\n" in text
    assert text.count("BEGIN:VEVENT\r\n") == 1


@given(st.text())
def test_lines_are_folded_before_75_octets_and_nothing_is_lost(text: str) -> None:
    written = made(summary=text.encode("utf-8", "replace").decode())
    lines = written.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = written.replace("\r\n ", "").split("\r\n")
    assert len(unfolded) == 16
    assert unfolded[10].startswith("SUMMARY:")
