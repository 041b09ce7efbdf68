"""What the winning carrier says of numbers: kept for a while, and unknown while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from api.porting import calendar_at
from api.schemas.port_checks import (
    CheckResult,
    CheckView,
    ExcludedView,
    GroupView,
    ReasonView,
)
from api.state import ApiState
from carriers.base import CarrierError
from domain.porting.numbers import Exclusion, Grouping, OrderGroup, classify, group_for_orders
from domain.porting.portability import PortabilityCheck
from domain.porting.words import NumberType, Portability, PortKind
from observability.logs import get_logger
from storage import portability
from storage.tables import PortNumber

__all__ = ["Checked", "checked", "excluded_view", "group_view", "number_type", "view"]

CARRIER_DEADLINE: Final = 8.0
"""Seconds. A check that takes longer says nothing of the numbers."""

AWAY: Final = "The carrier could not be asked at the moment; the order can be placed all the same."

_log = get_logger("trunkline.porting")


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer and its age; nothing was said at ``None``."""

    check: PortabilityCheck
    at: datetime | None

    @classmethod
    def of(cls, kept: portability.KnownResult) -> Checked:
        """An answer that was kept."""
        return cls(PortabilityCheck.model_validate(kept.result), kept.checked_at)

    @classmethod
    def remembered(cls, number: PortNumber) -> Checked:
        """What an order still knows of a number when the answer itself is too old."""
        mobile = number.type is NumberType.MOBILE
        check = PortabilityCheck(
            number=number.number,
            portability=Portability.UNKNOWN,
            number_type=number.type,
            pin_required=mobile,
        )
        return cls(check, None)


async def checked(state: ApiState, numbers: Sequence[str], *, now: datetime) -> dict[str, Checked]:
    """One answer for each number (E.164 with ``+``), in their order."""
    carrier = state.porting.carrier
    since = now - state.settings.porting_checks_kept
    async with state.database.system() as session:
        kept = await portability.get_many(session, carrier.name, numbers, since=since)
    found = {number: Checked.of(each) for number, each in kept.items()}
    missing = [each for each in numbers if each not in found]
    if missing:
        found |= await _asked(state, missing, now)
    return {number: found[number] for number in numbers}


async def view(state: ApiState, numbers: Sequence[str]) -> CheckView:
    """The answers with what follows for ordering."""
    now = datetime.now(UTC)
    answers = await checked(state, numbers, now=now)
    grouping = group_for_orders(each.check for each in answers.values())
    left_out = {each.number: each for each in grouping.excluded}
    return CheckView(
        results=[_result(each, left_out.get(number)) for number, each in answers.items()],
        groups=[group_view(state, each, answers, now=now) for each in grouping.groups],
        advice=_advice(grouping, answers),
    )


def group_view(
    state: ApiState, group: OrderGroup, answers: Mapping[str, Checked], *, now: datetime
) -> GroupView:
    """Numbers that go into one order."""
    profile = state.porting.profiles.profile_for(group.losing_carrier, group.spid)
    leads = [answers[each].check.lead_days for each in group.numbers if each in answers]
    lead = max([profile.lead_days, *(each for each in leads if each is not None)])
    calendar = calendar_at(profile, now)
    earliest = calendar.earliest_target_date(now, lead)
    return GroupView(
        phone_numbers=list(group.numbers),
        kind=group.kind,
        country=group.country,
        losing_carrier=group.losing_carrier,
        spid=group.spid,
        carrier_profile=profile.key,
        lead_days=lead,
        earliest_target_date=earliest,
        suggested_target_date=calendar.good_date(earliest),
    )


def excluded_view(exclusion: Exclusion) -> ExcludedView:
    """A number that is in no order."""
    return ExcludedView(
        phone_number=exclusion.number,
        reason=ReasonView(code=exclusion.code or exclusion.reason.value, text=exclusion.text),
    )


def number_type(kind: NumberType | None) -> str:
    """As the contract writes it (section 2)."""
    if kind is None:
        return "unknown"
    return "toll-free" if kind is NumberType.TOLL_FREE else kind.value


async def _asked(state: ApiState, numbers: Sequence[str], now: datetime) -> dict[str, Checked]:
    carrier = state.porting.carrier
    try:
        async with asyncio.timeout(CARRIER_DEADLINE):
            said = await carrier.check(numbers, now=now)
    except (CarrierError, TimeoutError) as error:
        _log.warning("the carrier cannot check", carrier=carrier.name, reason=type(error).__name__)
        said = []
    known = {each.number: each for each in said if each.portability is not Portability.UNKNOWN}
    async with state.database.system() as session:
        rows = {number: each.model_dump(mode="json") for number, each in known.items()}
        await portability.put_many(session, carrier.name, rows, now=now)
    answered = {each.number: each for each in said}
    return {
        number: Checked(answered[number], now)
        if number in answered
        else Checked(_unknown(number), None)
        for number in numbers
    }


def _unknown(number: str) -> PortabilityCheck:
    facts = classify(number)
    toll_free = facts.kind is PortKind.TOLL_FREE
    return PortabilityCheck(
        number=number,
        portability=Portability.UNKNOWN,
        number_type=NumberType.TOLL_FREE if toll_free else None,
        country=facts.country,
        reason=AWAY,
    )


def _result(answer: Checked, exclusion: Exclusion | None) -> CheckResult:
    check = answer.check
    said = Portability.NO if exclusion is not None else check.portability
    return CheckResult(
        phone_number=check.number,
        portable=said is Portability.YES,
        number_type=number_type(check.number_type),
        pin_required=check.pin_required,
        portability=said,
        reason=_reason(check, exclusion),
        losing_carrier=check.losing_carrier,
        lead_days=check.lead_days,
        checked_at=answer.at,
    )


def _reason(check: PortabilityCheck, exclusion: Exclusion | None) -> ReasonView | None:
    if exclusion is not None:
        return excluded_view(exclusion).reason
    if check.portability is Portability.UNKNOWN:
        return ReasonView(code="unknown", text=check.reason or AWAY)
    return None


def _advice(grouping: Grouping, answers: Mapping[str, Checked]) -> list[str]:
    said = []
    if grouping.mixed:
        said.append(
            f"The numbers make {len(grouping.groups)} orders, because they are of different "
            "carriers, kinds or countries; one request places all of them."
        )
    if any(each.check.pin_required for each in answers.values()):
        said.append(
            "Ask the present carrier for the number transfer PIN shortly before you order; it is "
            "valid for days only."
        )
    if grouping.excluded:
        said.append("Some numbers cannot be ordered; the others can.")
    if any(each.check.portability is Portability.UNKNOWN for each in answers.values()):
        said.append("Of some numbers it is not known; they can be ordered, and the desk looks.")
    return said
