"""Orders, carriers and calendars to begin tests with."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_calendar import calendar_of
from domain.porting.carrier_profile import CarrierProfile, CarrierProfiles, parse_carriers
from domain.porting.findings import LintSubject
from domain.porting.order import Address, PortDetails, PortSecrets
from domain.porting.portability import PortabilityCheck
from domain.porting.words import CustomerType, Portability, PortKind, PortType

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
"""Tuesday, 10:00 in New York."""

NUMBER = "+14155550100"
OTHER = "+14155550101"


@cache
def shipped() -> CarrierProfiles:
    return parse_carriers((files("domain.porting") / "carriers.toml").read_text())


def profile(**changes: Any) -> CarrierProfile:
    return shipped().default.model_copy(update=changes)


@cache
def calendar() -> BusinessCalendar:
    return calendar_of(shipped().default, NOW.date())


def details(**changes: Any) -> PortDetails:
    """Details that the linter has nothing against, for a number of several on the account."""
    address = Address(street="1 Main St", city="Springfield", state="IL", zip="62701")
    made = PortDetails(
        customer_type=CustomerType.BUSINESS,
        customer_name="ACME, Inc.",
        authorized_representative="Jane Doe",
        authorized_representative_email="jane@example.com",
        service_address=address,
        billing_telephone_number="+14155550199",
        port_type=PortType.PARTIAL,
        document_ids=("doc_1",),
    )
    return made.model_copy(update=changes)


def check(number: str = NUMBER, **changes: Any) -> PortabilityCheck:
    made = PortabilityCheck(number=number, portability=Portability.YES)
    return made.model_copy(update=changes)


def subject(**changes: Any) -> LintSubject:
    made: dict[str, Any] = {
        "details": details(),
        "secrets": PortSecrets(account_number="A-00123"),
        "numbers": (NUMBER,),
        "kind": PortKind.LOCAL,
        "profile": profile(),
        "calendar": calendar(),
        "now": NOW,
    }
    return LintSubject(**{**made, **changes})
