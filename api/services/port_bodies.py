"""Orders as both generations of clients write them, in one normal form (contract 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import SecretStr

from api.errors import ErrorItem, InvalidRequest
from api.schemas.port_fields import AddressChanges, CarrierInformationChanges, NumberBody
from api.schemas.port_fields import OrderChanges as Changes
from api.schemas.port_requests import PinsRequest
from domain.porting.order import Address, PortDetails, PortSecrets
from domain.porting.words import CustomerType

__all__ = ["NOTHING", "missing_of_the_newer", "numbers_in", "secrets_in", "stated"]

NOTHING: Final = PortDetails(
    customer_type=CustomerType.BUSINESS,
    authorized_representative_email="",
    service_address=Address(street="", city="", state="", zip=""),
)
"""Of a draft of which nothing is known yet."""

_NEWER: Final = frozenset(
    {"customer_name", "account_telephone_number", "authorized_representative"}
    | {"target_port_in_date", "phone_number_pins"}
)
_OLDER: Final = frozenset(
    {"business_name", "first_name", "last_name", "target_port_date", "pin", "street2"}
)
"""Keys that one generation alone has."""

_AS_THEY_ARE: Final = (
    *(
        "document_date",
        "pin_received_on",
        "pin_expires_on",
        "port_type",
        "billing_telephone_number",
    ),
    *("new_billing_telephone_number", "remaining_numbers_action", "customer_reference", "trunk_id"),
)
_NAMES: Final = (
    *("customer_name", "business_name", "first_name", "last_name", "authorized_representative"),
    *("authorized_representative_title", "authorized_representative_email"),
)


def stated(body: Changes, before: PortDetails = NOTHING) -> PortDetails:
    """What the customer states with this body; what it leaves out is as ``before``."""
    given = body.model_fields_set
    changes: dict[str, Any] = {name: getattr(body, name) for name in _AS_THEY_ARE if name in given}
    for name in ("target_port_date", "target_port_in_date"):
        if name in given:
            changes["requested_date"] = getattr(body, name)
    if "documents" in given:
        changes["document_ids"] = tuple(dict.fromkeys(body.documents))
    if "notification_emails" in given:
        changes["notification_emails"] = tuple(dict.fromkeys(body.notification_emails))
    if "losing_carrier_information" in given:
        changes |= _informed(body.losing_carrier_information, before)
    return before.model_copy(update=changes)


def secrets_in(
    body: Changes | PinsRequest, phone_numbers: Sequence[str | NumberBody] = ()
) -> PortSecrets:
    """The account numbers and PINs that the body brings."""
    own = [each for each in phone_numbers if isinstance(each, NumberBody)]
    info = body.losing_carrier_information if isinstance(body, Changes) else None
    return PortSecrets(
        account_number=_open(None if info is None else info.account_number),
        pin=_open(body.pin),
        account_numbers=_each({each.number: each.account_number for each in own}),
        pins=_each({**(body.phone_number_pins or {}), **{each.number: each.pin for each in own}}),
    )


def numbers_in(phone_numbers: Sequence[str | NumberBody], body: Changes) -> tuple[str, ...]:
    """The numbers in their order.

    Raises ``InvalidRequest`` when one is there twice, or has a PIN and is not there.
    """
    numbers = [each.number if isinstance(each, NumberBody) else each for each in phone_numbers]
    twice = [
        _item(f"phone_numbers.{at}", f"{number} is in the list twice")
        for at, number in enumerate(numbers)
        if number in numbers[:at]
    ]
    strangers = [
        _item(f"phone_number_pins.{number}", f"{number} is not among phone_numbers")
        for number in body.phone_number_pins or {}
        if number not in numbers
    ]
    if twice or strangers:
        raise InvalidRequest.of([*twice, *strangers])
    return tuple(numbers)


def missing_of_the_newer(body: Changes) -> list[ErrorItem]:
    """What the newer generation requires and a body of it has not.

    A body is of that generation when it has keys, or a spelling of the customer's type, that it alone
    has, and none of the guide's; a mixture is taken as the guide has it, which requires less.
    """
    info = body.losing_carrier_information
    given = body.model_fields_set | info.model_fields_set | info.address.model_fields_set
    newer = given & _NEWER or info.customer_type in ("Business", "Individual")
    if not newer or given & _OLDER or info.customer_type in ("business", "personal"):
        return []
    wanted = {
        "losing_carrier_information.customer_name": info.customer_name,
        "losing_carrier_information.account_telephone_number": (
            info.account_telephone_number or body.billing_telephone_number
        ),
        "losing_carrier_information.authorized_representative": info.authorized_representative,
        "target_port_in_date": body.target_port_in_date,
        "documents": body.documents,
    }
    return [_item(path, f"{path} is required") for path, value in wanted.items() if not value]


def _informed(info: CarrierInformationChanges, before: PortDetails) -> dict[str, Any]:
    given = info.model_fields_set
    changes: dict[str, Any] = {name: getattr(info, name) or "" for name in _NAMES if name in given}
    if "customer_name" not in given and given & {"business_name", "first_name", "last_name"}:
        # The name in the guide's words takes the place of one in the newer generation's.
        changes["customer_name"] = ""
    if "customer_type" in given:
        changes["customer_type"] = (
            CustomerType.BUSINESS
            if info.customer_type.lower() == "business"
            else CustomerType.INDIVIDUAL
        )
    if "account_telephone_number" in given:
        changes["billing_telephone_number"] = info.account_telephone_number
    if "notification_emails" in given:
        changes["notification_emails"] = tuple(dict.fromkeys(info.notification_emails))
    if "address" in given:
        changes["service_address"] = _address(info.address, before.service_address)
    if "billing_address" in given:
        other = info.billing_address
        changes["billing_address"] = (
            None if other is None else _address(other, NOTHING.service_address)
        )
    return changes


def _address(address: AddressChanges, before: Address) -> Address:
    given = address.model_fields_set
    names = given & {"street", "city", "state", "zip", "country"}
    changes = {name: getattr(address, name) for name in names}
    for name in sorted(given & {"street2", "street_2"}):
        changes["street_2"] = getattr(address, name) or ""
    return before.model_copy(update=changes)


def _open(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _each(secrets: dict[str, SecretStr | None]) -> dict[str, str]:
    return {
        number: secret.get_secret_value()
        for number, secret in secrets.items()
        if secret is not None
    }


def _item(field: str, message: str) -> ErrorItem:
    return ErrorItem("INVALID_REQUEST", message, field)
