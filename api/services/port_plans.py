"""An order before it is placed: which orders it makes, what is wrong with it, what is left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.errors import ErrorItem, InvalidRequest
from api.porting import calendar_at
from api.schemas.port_checks import GroupView
from api.schemas.port_views import FindingView
from api.services.port_checks import Checked, checked, excluded_view, group_view
from api.state import ApiState
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.linter import Finding, LintSubject, Severity, lint
from domain.porting.numbers import Exclusion, OrderGroup, group_for_orders
from domain.porting.order import OrderField, PortDetails, PortSecrets
from domain.porting.words import PortKind

__all__ = [
    "Part",
    "Plan",
    "as_errors",
    "finding_view",
    "findings_of",
    "path_of",
    "plan_for",
    "refuse",
]

_PATHS: Final = {
    OrderField.CUSTOMER_TYPE: "losing_carrier_information.customer_type",
    OrderField.CUSTOMER_NAME: "losing_carrier_information.customer_name",
    OrderField.AUTHORIZED_REPRESENTATIVE: "losing_carrier_information.authorized_representative",
    OrderField.AUTHORIZED_REPRESENTATIVE_EMAIL: (
        "losing_carrier_information.authorized_representative_email"
    ),
    OrderField.SERVICE_ADDRESS: "losing_carrier_information.address",
    OrderField.BILLING_ADDRESS: "losing_carrier_information.billing_address",
    OrderField.POSTAL_CODE: "losing_carrier_information.address.zip",
    OrderField.ACCOUNT_NUMBER: "losing_carrier_information.account_number",
    OrderField.REQUESTED_DATE: "target_port_date",
}
"""Where a field stands in a body, if not under its own name."""

NOT_PORTABLE: Final = "NUMBER_NOT_PORTABLE"


@dataclass(frozen=True, slots=True)
class Part:
    """One order to place."""

    group: OrderGroup
    profile: CarrierProfile
    shown: GroupView


@dataclass(frozen=True, slots=True)
class Plan:
    """What a body comes to. ``findings`` are those of all parts, each once."""

    numbers: tuple[str, ...]
    details: PortDetails
    secrets: PortSecrets
    answers: Mapping[str, Checked]
    parts: tuple[Part, ...]
    excluded: tuple[Exclusion, ...]
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> list[FindingView]:
        """What the customer should know and need not change."""
        return [finding_view(each) for each in self.findings if not _is_error(each)]


async def plan_for(
    state: ApiState,
    numbers: tuple[str, ...],
    details: PortDetails,
    secrets: PortSecrets,
    *,
    now: datetime,
) -> Plan:
    """Look at an order as a whole; nothing is written but what carriers said of its numbers."""
    answers = await checked(state, numbers, now=now)
    accounts = {each: secrets.account_number_of(each) or "" for each in numbers}
    grouping = group_for_orders(
        (each.check for each in answers.values()),
        accounts=accounts if secrets.account_numbers else None,
    )
    parts = tuple(
        Part(
            each,
            state.porting.profiles.profile_for(each.losing_carrier, each.spid),
            group_view(state, each, answers, now=now),
        )
        for each in grouping.groups
    )
    found = [
        finding
        for part in parts
        for finding in findings_of(
            details, secrets, part.group.numbers, part.group.kind, part.profile, answers, now
        )
    ]
    return Plan(
        numbers=numbers,
        details=details,
        secrets=secrets,
        answers=answers,
        parts=parts,
        excluded=grouping.excluded,
        findings=tuple(dict.fromkeys(found)),
    )


def findings_of(
    details: PortDetails,
    secrets: PortSecrets,
    numbers: tuple[str, ...],
    kind: PortKind,
    profile: CarrierProfile,
    answers: Mapping[str, Checked],
    now: datetime,
) -> tuple[Finding, ...]:
    """What carriers would send one order back for."""
    return lint(
        LintSubject(
            details=details,
            secrets=secrets.limited_to(numbers),
            numbers=numbers,
            kind=kind,
            profile=profile,
            calendar=calendar_at(profile, now),
            now=now,
            checks={each: answers[each].check for each in numbers if each in answers},
        )
    )


def refuse(plan: Plan, *, continue_without: bool, known: Collection[ErrorItem] = ()) -> None:
    """Raise ``InvalidRequest`` with an entry for each thing that must change first."""
    items = [*known, *as_errors(plan.findings)]
    if plan.excluded and not (continue_without and plan.parts):
        positions = {number: at for at, number in enumerate(plan.numbers)}
        for each in plan.excluded:
            view = excluded_view(each)
            items.append(
                ErrorItem(
                    NOT_PORTABLE,
                    f"{each.number}: {view.reason.text} Leave it out"
                    + (", or set continue_without." if plan.parts else "."),
                    f"phone_numbers.{positions[each.number]}",
                    {"phone_number": each.number, "reason": view.reason.code},
                )
            )
    if items:
        raise InvalidRequest.of(items)


def as_errors(findings: Collection[Finding]) -> list[ErrorItem]:
    """The findings that an order cannot be placed with."""
    return [
        ErrorItem(
            "INVALID_REQUEST",
            f"{each.what} {each.to_change}",
            path_of(each.field),
            {
                "finding": each.code,
                **({} if each.submitted is None else {"submitted": each.submitted}),
                **({} if each.number is None else {"phone_number": each.number}),
            },
        )
        for each in findings
        if _is_error(each)
    ]


def finding_view(finding: Finding) -> FindingView:
    """The finding as it is shown."""
    return FindingView(
        severity=finding.severity,
        code=finding.code,
        field=path_of(finding.field),
        what=finding.what,
        to_change=finding.to_change,
        submitted=finding.submitted,
        phone_number=finding.number,
    )


def path_of(field: OrderField) -> str:
    """Where the field stands in a body."""
    return _PATHS.get(field, field.value)


def _is_error(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR
