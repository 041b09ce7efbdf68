"""The query of the list of alerts: which ones, how many, and behind which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Query

from api.cursors import moment_behind, place_of
from domain.alert_state import Alert

__all__ = ["AlertListRequest", "AlertQuery", "cursor_behind"]

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
MAX_CURSOR: Final = 128
_ALERT_ID: Final = re.compile(r"alt_[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class AlertListRequest:
    """A page of alerts; ``before`` is when the last alert of the page before opened, and its id."""

    limit: int
    is_open: bool | None
    before: tuple[datetime, str] | None


def cursor_behind(alert: Alert) -> str:
    """The cursor of the page behind this alert. It holds the time: an alert that comes back moves to
    the front, and the page must not move with it."""
    return moment_behind(alert.opened_at, alert.alert_id)


def _is_id(text: str) -> bool:
    return _ALERT_ID.fullmatch(text) is not None


async def _from_query(
    is_open: Annotated[
        bool | None,
        Query(alias="open", description="`true`: only open alerts, `false`: only those over."),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="Alerts of a page.")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before."),
    ] = None,
) -> AlertListRequest:
    return AlertListRequest(limit, is_open, None if cursor is None else place_of(cursor, _is_id))


AlertQuery = Annotated[AlertListRequest, Depends(_from_query)]
