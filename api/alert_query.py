"""The query of the list of alerts: which ones, how many, and behind which."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, Query

from api.errors import InvalidRequest
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
    text = f"{alert.opened_at.isoformat()} {alert.alert_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
        moment, _, alert_id = text.partition(" ")
        opened_at = datetime.fromisoformat(moment)
        if opened_at.tzinfo is None or _ALERT_ID.fullmatch(alert_id) is None:
            raise ValueError("no time of ours")
        return opened_at.astimezone(UTC), alert_id
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("cursor: is not a next_cursor of this list", field="cursor") from error


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
    return AlertListRequest(limit, is_open, None if cursor is None else _place(cursor))


AlertQuery = Annotated[AlertListRequest, Depends(_from_query)]
