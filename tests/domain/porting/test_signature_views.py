"""Visits are noted once for each visitor; what decides always is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.porting.signature_trail import SignatureAction, TrailEntry, TrailEvent, append
from domain.porting.signature_views import VISITS, VISITS_AT_MOST, is_news

AT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)


def visit(action: SignatureAction, ip: str = "192.0.2.1", agent: str = "browser") -> TrailEvent:
    return TrailEvent(action=action, at=AT, actor="", ip=ip, user_agent=agent)


def trail_of(events: list[TrailEvent]) -> list[TrailEntry]:
    trail: list[TrailEntry] = []
    for event in events:
        trail.append(append(trail[-1] if trail else None, event))
    return trail


@pytest.mark.parametrize("action", sorted(VISITS))
def test_a_visitor_is_noted_once(action: SignatureAction) -> None:
    trail = trail_of([visit(action)])

    assert is_news([], visit(action))
    assert not is_news(trail, visit(action))
    assert is_news(trail, visit(action, ip="192.0.2.2"))
    assert is_news(trail, visit(action, agent="another"))


def test_visits_have_an_end_and_decisions_have_none() -> None:
    shown = SignatureAction.DISCLOSURE_SHOWN
    trail = trail_of([visit(shown, agent=str(each)) for each in range(VISITS_AT_MOST)])

    assert not is_news(trail, visit(shown))
    for action in set(SignatureAction) - VISITS:
        assert is_news(trail, visit(action))
