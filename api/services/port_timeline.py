"""What happened to an order: as pages, as a table, and with people's comments."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Final

from api.authentication import Principal
from api.changes import Change
from api.cursors import cursor_of, not_a_cursor, text_of
from api.errors import Forbidden, NotFound
from api.schemas.port_requests import CommentRequest
from api.schemas.port_timeline import TimelineEntryView, TimelineView
from api.services import port_orders as orders
from api.services.actor import Actor
from api.services.audit import record
from api.services.trunk_orders import Wish
from api.state import ApiState
from domain.porting.effects import Actor as Party
from storage import port_timeline
from storage.tables import Role

__all__ = ["comment", "place_of", "table", "timeline"]

_COLUMNS: Final = (
    *("id", "at", "kind", "actor", "text", "raw", "from_sub_status", "to_sub_status", "data"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How spreadsheets recognise what they would compute."""

_LARGEST: Final = 2**63 - 1


def place_of(cursor: str | None) -> int:
    """Behind which entry a page begins. Raises ``InvalidRequest``."""
    if cursor is None:
        return 0
    try:
        text = text_of(cursor)
        place = int(text) if text.isdecimal() and len(text) < 20 else -1
    except ValueError:
        place = -1
    if not 0 <= place <= _LARGEST:
        raise not_a_cursor()
    return place


async def timeline(
    state: ApiState, principal: Principal, order_id: str, *, limit: int, after: int
) -> TimelineView:
    """A page, the oldest first. Raises ``NotFound``."""
    async with state.database.tenant(principal.org_id) as session:
        await orders.get(session, order_id)
        found = await port_timeline.page(
            session,
            order_id,
            limit=limit + 1,
            after=after,
            public_only=not principal.may(Role.OPERATOR),
        )
    listed = found[:limit]
    return TimelineView(
        entries=[TimelineEntryView.of(each) for each in listed],
        next_cursor=_cursor(listed[-1].id) if len(listed) < len(found) else None,
    )


def table(view: TimelineView) -> str:
    """The page as CSV (RFC 4180) with a head line; nothing in it is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for entry in view.entries:
        row = entry.model_dump(mode="json", include=set(_COLUMNS))
        row["data"] = json.dumps(row["data"], sort_keys=True)
        writer.writerow(_harmless(row[name]) for name in _COLUMNS)
    return text.getvalue()


async def comment(
    state: ApiState,
    change: Change,
    principal: Principal,
    actor: Actor,
    order_id: str,
    body: CommentRequest,
    wish: Wish,
) -> None:
    """Add a comment. Raises ``NotFound``, and ``Forbidden`` where an operator alone may write it."""
    is_operator = principal.may(Role.OPERATOR)
    if not body.public and not is_operator:
        raise Forbidden("only operators write comments that customers do not see")
    session = await change.of(principal.org_id)
    added = await port_timeline.comment(
        session,
        order_id,
        comment_id=wish.id,
        text=body.text,
        actor=(Party.OPERATOR if is_operator else Party.CUSTOMER).value,
        public=body.public,
        at=datetime.now(UTC),
    )
    if not added:
        raise NotFound(orders.UNKNOWN)
    await record(
        session,
        actor,
        org_id=principal.org_id,
        action="port.comment",
        subject=("port", order_id),
        after={"public": body.public},
    )


def _cursor(entry_id: int) -> str:
    return cursor_of(str(entry_id))


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
