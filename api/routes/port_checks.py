"""What to know before numbers are ported: portability, business days, why orders come back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from api.access import SipViewer
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import ErrorItem, InvalidRequest
from api.routing import new_router
from api.schemas.port_checks import (
    EXAMPLE_BUSINESS_DAYS,
    EXAMPLE_CHECK,
    EXAMPLE_CODES,
    BusinessDaysView,
    CheckView,
    RejectionCodeList,
    RejectionCodeView,
)
from api.schemas.port_fields import MAX_NUMBERS
from api.services import port_checks, port_days
from api.state import state_of
from domain.phone_numbers import InvalidNumber, number_of, spellings_of
from domain.porting.rejections import REJECTIONS

__all__ = ["router"]

router = new_router("/v1/sip/port", tag="Porting")

_NUMBERS = f"Numbers in E.164, 1 to {MAX_NUMBERS} of them, each as a parameter of its own."


async def _numbers(
    phone_numbers: Annotated[
        list[str],
        Query(default_factory=list, description=_NUMBERS, examples=[["+14150000000"]]),
    ],
    bracketed: Annotated[
        list[str],
        Query(
            default_factory=list,
            alias="phone_numbers[]",
            description="The same, as some clients write it.",
        ),
    ],
) -> tuple[str, ...]:
    given = [*phone_numbers, *bracketed]
    if not 1 <= len(given) <= MAX_NUMBERS:
        raise InvalidRequest(
            f"phone_numbers: give 1 to {MAX_NUMBERS} numbers", field="phone_numbers"
        )
    read, wrong = [], []
    for at, text in enumerate(given):
        try:
            read.append(number_of(spellings_of(text)[0]))
        except InvalidNumber as error:
            place = f"phone_numbers.{at}"
            wrong.append(ErrorItem("INVALID_REQUEST", f"{place}: {error}", place))
    if wrong:
        raise InvalidRequest.of(wrong)
    return tuple(dict.fromkeys(read))


@router.get(
    "/check",
    summary="Check whether numbers can be ported",
    responses={
        **answer(EXAMPLE_CHECK),
        **refusals(
            InvalidRequest(f"phone_numbers: give 1 to {MAX_NUMBERS} numbers", field="phone_numbers")
        ),
    },
)
async def check_numbers(
    request: Request, principal: SipViewer, numbers: Annotated[tuple[str, ...], Depends(_numbers)]
) -> Envelope[CheckView]:
    """Number by number, who has it and whether it can be taken over, and how the numbers would be
    ordered. Answers of carriers are kept for a while; `checked_at` says how old one is. While the
    carrier is away a number is `unknown`, which does not keep it from being ordered."""
    return Envelope(data=await port_checks.view(state_of(request), numbers))


@router.get(
    "/rejection-codes",
    summary="List why port orders come back",
    responses=answer(EXAMPLE_CODES),
)
async def list_rejection_codes(principal: SipViewer) -> Envelope[RejectionCodeList]:
    """Every code, in the words of no carrier, with what cures it and who can do that."""
    views = [RejectionCodeView.of(each) for each in REJECTIONS.values()]
    return Envelope(data=RejectionCodeList(rejection_codes=views))


@router.get(
    "/business-days",
    summary="Count business days of a losing carrier",
    responses={
        **answer(EXAMPLE_BUSINESS_DAYS),
        **refusals(InvalidRequest("from: no holidays are known of that year", field="from")),
    },
)
async def count_business_days(
    request: Request,
    principal: SipViewer,
    first: Annotated[
        date | None,
        Query(alias="from", description="A day where the carrier is; left out, today."),
    ] = None,
    n: Annotated[int, Query(ge=0, le=120, description="How many business days behind it.")] = 1,
    carrier: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Name, SPID or profile of the losing carrier; left out, the generic one.",
        ),
    ] = None,
) -> Envelope[BusinessDaysView]:
    """By the losing carrier's own calendar, as every date of an order is: Monday to Friday without its
    holidays (47 CFR 52.35)."""
    view = port_days.business_days(
        state_of(request).porting, first, n, carrier, now=datetime.now(UTC)
    )
    return Envelope(data=view)
