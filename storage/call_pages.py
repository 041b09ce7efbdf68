"""The call log: test calls and calls of real traffic in one list, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.call_outcome import OUTCOME_CODES, CallOutcome
from storage.tables import CallDirection

__all__ = ["CallFilter", "LoggedCall", "logged", "page"]


class LoggedCall(NamedTuple):
    """A call as the list shows it; ``live`` tells real traffic from test calls."""

    id: str
    live: bool
    org_id: str
    trunk_id: str | None
    number: str | None
    direction: str | None
    sip_call_id: str | None
    from_user: str | None
    to_user: str | None
    ended: bool
    sip_code: int | None
    sip_reason: str | None
    source_ip: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    pdd_ms: int | None
    duration_ms: int | None
    codecs: Sequence[str]
    retransmissions: int | None
    match: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls: by the spellings of a number or by trunk, and by what is given of the rest.

    ``codes`` are first and last of a range of final SIP codes; ``since`` is in it, ``until`` is not.
    """

    numbers: Sequence[str] = ()
    trunk_id: str | None = None
    direction: CallDirection | None = None
    outcome: CallOutcome | None = None
    codes: tuple[int, int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    matches: Sequence[str] = field(default=("matched",))

    def values(self) -> dict[str, Any]:
        """What is given, by the names of ``_CONDITIONS``."""
        first, last = self.codes or (None, None)
        given = {
            "numbers": list(self.numbers) or None,
            "trunk_id": self.trunk_id,
            "direction": None if self.direction is None else self.direction.value,
            "outcome": None if self.outcome is None else self.outcome.value,
            "first_code": first,
            "last_code": last,
            "since": self.since,
            "until": self.until,
            "matches": list(self.matches),
        }
        return {name: value for name, value in given.items() if value is not None}


async def page(
    session: AsyncSession,
    wanted: CallFilter,
    *,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[LoggedCall]:
    """At most ``limit`` calls that began before ``before`` (the start and id of the last one of the
    page before), the newest first."""
    values = wanted.values()
    if before is not None:
        values |= {"before_at": before[0], "before_id": before[1]}
    rows = await session.execute(_page_of(frozenset(values)), {**values, "limit": limit})
    return [LoggedCall._make(row) for row in rows]


async def logged(
    session: AsyncSession, call_id: str, *, org_id: str | None = None, oldest: bool = False
) -> LoggedCall | None:
    """The call with this id, or the latest (or ``oldest``) one with this Call-ID; ``org_id`` is for the
    system scope, which sees those of every organization."""
    values = {"call_id": call_id, "org_id": org_id, "oldest": oldest}
    row = (await session.execute(_ONE, values)).first()
    return None if row is None else LoggedCall._make(row)


def _outcome() -> str:
    """``domain.call_outcome.outcome_of`` of a row."""
    told = " ".join(
        f"WHEN sip_code IN ({', '.join(map(str, codes))}) THEN '{outcome}'"
        for outcome, codes in OUTCOME_CODES.items()
    )
    return (
        f"CASE WHEN NOT ended THEN '{CallOutcome.IN_PROGRESS}' "
        f"WHEN answered_at IS NOT NULL THEN '{CallOutcome.ANSWERED}' {told} "
        f"ELSE '{CallOutcome.FAILED}' END"
    )


_CONDITIONS: Final = {
    "numbers": "number = ANY (CAST(:numbers AS text[]))",
    "trunk_id": "trunk_id = :trunk_id",
    "direction": "direction = :direction",
    "outcome": f"{_outcome()} = :outcome",
    "first_code": "sip_code BETWEEN :first_code AND :last_code",
    "since": "started_at >= :since",
    "until": "started_at < :until",
    "before_at": "(started_at, id) < (:before_at, :before_id)",
    "matches": "match = ANY (CAST(:matches AS text[]))",
}

# The address that our own calls came from is that of their first message.
_TESTS: Final = """
    SELECT id, false AS live, org_id, trunk_id, number, direction, sip_call_id, from_user, to_user,
           ended_at IS NOT NULL AS ended, sip_code, sip_reason,
           (SELECT local_address FROM sip_messages m
             WHERE m.owner_id = calls.id AND m.at >= calls.started_at - interval '1 hour'
             ORDER BY m.seq LIMIT 1) AS source_ip,
           started_at, answered_at, ended_at,
           NULL::integer AS pdd_ms, duration_ms, '{}'::text[] AS codecs,
           NULL::integer AS retransmissions, 'matched' AS match
      FROM calls
"""

_LIVE: Final = """
    SELECT id, true AS live, org_id, trunk_id, number, direction, sip_call_id, from_user, to_user,
           ended, sip_code, sip_reason, source_ip, started_at, answered_at, ended_at, pdd_ms,
           duration_ms, codecs, retransmissions, match
      FROM live_calls
"""


@cache
def _page_of(given: frozenset[str]) -> TextClause:
    conditions = " AND ".join(sql for name, sql in _CONDITIONS.items() if name in given)

    def first(calls: str) -> str:
        return (
            f"(SELECT * FROM ({calls}) AS call WHERE {conditions} "
            "ORDER BY started_at DESC, id DESC LIMIT :limit)"
        )

    return text(
        f"SELECT * FROM ({first(_TESTS)} UNION ALL {first(_LIVE)}) AS found "
        "ORDER BY started_at DESC, id DESC LIMIT :limit"
    )


_ONE = text(
    f"""
    SELECT * FROM (
        SELECT * FROM ({_TESTS}) AS test WHERE id = :call_id OR sip_call_id = :call_id
        UNION ALL
        SELECT * FROM ({_LIVE}) AS live WHERE id = :call_id OR sip_call_id = :call_id
    ) AS found
     WHERE org_id = coalesce(CAST(:org_id AS text), org_id)
     ORDER BY id = :call_id DESC, CASE WHEN :oldest THEN started_at END, started_at DESC, id DESC
     LIMIT 1
    """
)
