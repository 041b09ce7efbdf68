"""The query of the call log: which calls, how many, and behind which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import AwareDatetime

from api.errors import InvalidRequest
from api.validation import storable
from domain.call_outcome import CallOutcome
from domain.phone_numbers import spellings_of
from domain.trunk import Direction
from storage.call_pages import CallFilter
from storage.tables import CallDirection

__all__ = ["CallListRequest", "CallQuery"]

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_CODES: Final = re.compile(r"([1-6])xx|([1-6][0-9]{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CallListRequest:
    """A page of the log."""

    wanted: CallFilter
    limit: int
    before: str | None
    unassigned: bool


async def _from_query(
    phone_number: Annotated[
        str | None,
        Query(
            max_length=128,
            description="E.164 with `+` as `%2B`, or a DID or an extension of a trunk. Required unless "
            "`trunk_id` or `unassigned` is given.",
            examples=["+14150000000"],
        ),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="Calls of a page.")
    ] = DEFAULT_LIMIT,
    before: Annotated[
        str | None,
        Query(max_length=256, description="`call_id` or `id` of the last call of the page before."),
    ] = None,
    direction: Annotated[Direction | None, Query(description="Seen from the platform.")] = None,
    trunk_id: Annotated[
        str | None, Query(max_length=64, description="Calls that this trunk carried.")
    ] = None,
    status: Annotated[CallOutcome | None, Query(description="How the call ended.")] = None,
    sip_code: Annotated[
        str | None,
        Query(max_length=3, description="Final code, or a class of them.", examples=["486", "5xx"]),
    ] = None,
    since: Annotated[
        AwareDatetime | None, Query(description="Calls that began then or later.")
    ] = None,
    until: Annotated[AwareDatetime | None, Query(description="Calls that began before.")] = None,
    unassigned: Annotated[
        bool,
        Query(description="Operators only: calls that belong to no organization, or to several."),
    ] = False,
) -> CallListRequest:
    for name, text in (
        ("phone_number", phone_number),
        ("before", before),
        ("trunk_id", trunk_id),
    ):
        if text is not None and not storable(text):
            raise InvalidRequest(f"{name}: must not hold NUL characters", field=name)
    if phone_number is None and trunk_id is None and not unassigned:
        raise InvalidRequest("phone_number: is required", field="phone_number")
    if since is not None and until is not None and since >= until:
        raise InvalidRequest("until: must be later than since", field="until")
    wanted = CallFilter(
        numbers=() if phone_number is None else spellings_of(phone_number),
        trunk_id=trunk_id,
        direction=None if direction is None else CallDirection(direction.value),
        outcome=status,
        codes=_codes(sip_code),
        since=since,
        until=until,
    )
    return CallListRequest(wanted, limit, before, unassigned)


def _codes(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _CODES.fullmatch(text)
    if found is None:
        raise InvalidRequest(
            f'sip_code: "{text}" is neither a code such as 486 nor a class such as 4xx',
            field="sip_code",
        )
    if found[1] is not None:
        first = int(found[1]) * 100
        return first, first + 99
    return int(found[2]), int(found[2])


CallQuery = Annotated[CallListRequest, Depends(_from_query)]
