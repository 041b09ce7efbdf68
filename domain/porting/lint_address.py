"""The service address. Most rejections are about it: it is where the line is, and no mailbox."""

from __future__ import annotations

import re
from typing import Final

from domain.porting.findings import Findings, LintSubject, error, warning
from domain.porting.order import Address, OrderField
from domain.porting.postal_regions import region_fits, regions_of, zip_example, zip_has_shape

__all__ = ["address_findings"]

_BOX: Final = re.compile(
    r"\b(p\.?\s*o\.?\s*box|post\s+office\s+box|pmb|private\s+mail\s*box)\b", re.IGNORECASE
)
_UNIT: Final = r"(?:suite|ste|apt|apartment|unit|floor|fl|room|rm|#)"
_UNIT_OPEN: Final = re.compile(rf"(?:^|\s|,){_UNIT}\.?\s*$", re.IGNORECASE)
_UNIT_GIVEN: Final = re.compile(
    rf"(?:^|\s|,){_UNIT}\.?\s*#?\s*\w+|\d\w*\s*(?:st|nd|rd|th)\s+fl", re.IGNORECASE
)
_SHARED_BUILDING: Final = re.compile(
    r"\b(tower|plaza|building|bldg|center|centre|mall|office\s+park)\b", re.IGNORECASE
)
_FIELD = OrderField.SERVICE_ADDRESS


def address_findings(subject: LintSubject) -> Findings:
    """Findings about where the service is installed."""
    address = subject.details.service_address
    for name, value in (("street", address.street), ("city", address.city)):
        if not value.strip():
            yield error(
                f"{name}_missing",
                _FIELD,
                f"The {name} of the service address is missing.",
                "Copy the service address from the bill or the customer service record.",
            )
    yield from _street(address)
    yield from _region(address)


def _street(address: Address) -> Findings:
    lines = ", ".join(each for each in (address.street, address.street_2) if each)
    if _BOX.search(lines):
        yield error(
            "po_box",
            _FIELD,
            "A P.O. box is no service address: no line is installed there.",
            "Enter the street address where the line is.",
            submitted=lines,
        )
    elif address.street.strip() and not any(each.isdigit() for each in address.street):
        yield warning(
            "street_number_missing",
            _FIELD,
            "The street has no house number.",
            "Add it as the bill has it.",
            submitted=address.street,
        )
    given = _UNIT_GIVEN.search(lines) is not None
    if _UNIT_OPEN.search(address.street) and not address.street_2.strip() and not given:
        yield warning(
            "unit_incomplete",
            _FIELD,
            "The address names a suite, floor or unit without saying which.",
            "Add its number.",
            submitted=lines,
        )
    elif _SHARED_BUILDING.search(lines) and not given:
        yield warning(
            "unit_missing",
            _FIELD,
            "This looks like a building with many tenants, and no suite or floor is given.",
            "Add the suite, floor or unit if the carrier's record has one.",
            submitted=lines,
        )


def _region(address: Address) -> Findings:
    known = regions_of(address.country)
    if known is None:
        yield error(
            "country_not_served",
            _FIELD,
            "Service addresses are in the United States or Canada.",
            "Write US or CA as the country.",
            submitted=address.country,
        )
        return
    state = address.state.strip().upper()
    if state not in known:
        yield warning(
            "state_unknown",
            _FIELD,
            "This is no postal code of a state or province.",
            "Write its two letters, such as CA for California.",
            submitted=address.state,
        )
    if not zip_has_shape(address.country, address.zip):
        yield error(
            "zip_shape",
            OrderField.POSTAL_CODE,
            "This is no ZIP or postal code of the country.",
            f"Write it like {zip_example(address.country)}.",
            submitted=address.zip,
        )
    elif state in known and not region_fits(address.country, state, address.zip):
        yield warning(
            "zip_elsewhere",
            OrderField.POSTAL_CODE,
            f"Codes that begin so are not in {state}.",
            "Compare state and ZIP with the bill.",
            submitted=f"{address.state} {address.zip}",
        )
