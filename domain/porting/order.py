"""What a port order says: whose numbers they are, who may move them, and when.

Source: the bodies of API contract 6.3 in both generations, and what a local service request asks
for beyond them (47 CFR 52.36). Everything is kept as the customer wrote it, because the losing
carrier compares it character by character with its record. Secrets are a value of their own, so that
details can be stored, listed and compared without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from domain.porting.words import CustomerType, PortType, RemainingNumbers

__all__ = [
    "SECRET_FIELDS",
    "Address",
    "OrderField",
    "PortDetails",
    "PortSecrets",
    "changed_fields",
    "changed_secrets",
    "masked",
]


class OrderField(StrEnum):
    """The parts of an order that findings, rejections and resubmissions name."""

    PHONE_NUMBERS = "phone_numbers"
    CUSTOMER_TYPE = "customer_type"
    CUSTOMER_NAME = "customer_name"
    AUTHORIZED_REPRESENTATIVE = "authorized_representative"
    AUTHORIZED_REPRESENTATIVE_EMAIL = "authorized_representative_email"
    NOTIFICATION_EMAILS = "notification_emails"
    SERVICE_ADDRESS = "service_address"
    BILLING_ADDRESS = "billing_address"
    POSTAL_CODE = "postal_code"
    ACCOUNT_NUMBER = "account_number"
    PIN = "pin"
    BILLING_TELEPHONE_NUMBER = "billing_telephone_number"
    PORT_TYPE = "port_type"
    NEW_BILLING_TELEPHONE_NUMBER = "new_billing_telephone_number"
    REMAINING_NUMBERS_ACTION = "remaining_numbers_action"
    REQUESTED_DATE = "requested_date"
    DOCUMENTS = "documents"
    LOSING_CARRIER = "losing_carrier"
    CUSTOMER_REFERENCE = "customer_reference"
    TRUNK = "trunk_id"


SECRET_FIELDS: Final = frozenset({OrderField.ACCOUNT_NUMBER, OrderField.PIN})
"""Fields whose values are never shown again, in a finding as little as anywhere else."""


class Address(BaseModel):
    """A postal address; for a port the one where the service is installed.

    ``state`` and ``country`` are codes (``CA``, ``US``), ``zip`` is a ZIP or a postal code.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    street: str
    street_2: str = ""
    city: str
    state: str
    zip: str
    country: str = "US"

    @property
    def lines(self) -> tuple[str, ...]:
        """As on an envelope, empty lines left out."""
        place = f"{self.city}, {self.state} {self.zip}".strip()
        return tuple(each for each in (self.street, self.street_2, place, self.country) if each)


class PortDetails(BaseModel):
    """Everything about an order but its numbers and its secrets.

    ``customer_name`` is the account's name as on the bill; where only the older generation's
    ``business_name``, ``first_name`` and ``last_name`` were given it is empty, and ``account_name``
    knows. ``billing_address`` is where bills are sent, ``None`` when that is the service address.
    Dates are calendar days where the losing carrier is. ``document_date`` is the day on which
    the bill was issued, ``pin_received_on`` the day on which the customer got the transfer PIN,
    ``pin_expires_on`` its last day where the carrier told it. ``document_ids`` are ``doc_...``,
    ``trunk_id`` is where completed numbers take calls.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    customer_type: CustomerType
    customer_name: str = ""
    business_name: str = ""
    first_name: str = ""
    last_name: str = ""
    authorized_representative: str = ""
    authorized_representative_title: str = ""
    authorized_representative_email: str
    notification_emails: tuple[str, ...] = ()
    service_address: Address
    billing_address: Address | None = None
    billing_telephone_number: str | None = None
    port_type: PortType | None = None
    new_billing_telephone_number: str | None = None
    remaining_numbers_action: RemainingNumbers | None = None
    requested_date: date | None = None
    customer_reference: str | None = None
    document_ids: tuple[str, ...] = ()
    document_date: date | None = None
    pin_received_on: date | None = None
    pin_expires_on: date | None = None
    trunk_id: str | None = None

    @property
    def account_name(self) -> str:
        """The name of the account, as the losing carrier is told it."""
        if self.customer_name:
            return self.customer_name
        if self.customer_type is CustomerType.BUSINESS and self.business_name:
            return self.business_name
        return self._person

    @property
    def signer(self) -> str:
        """Who signs for the account."""
        return self.authorized_representative or self._person or self.account_name

    @property
    def informed(self) -> tuple[str, ...]:
        """Mailboxes that are told what happens; without a list the representative's."""
        return self.notification_emails or (self.authorized_representative_email,)

    @property
    def _person(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class PortSecrets(BaseModel):
    """Account numbers and PINs, of the whole order and of single numbers (keys are E.164).

    It is sealed at rest and erased when the order ends. Neither its text nor a validation error of
    it shows a value.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    account_number: str | None = Field(default=None, repr=False)
    pin: str | None = Field(default=None, repr=False)
    account_numbers: Mapping[str, str] = Field(default_factory=dict, repr=False)
    pins: Mapping[str, str] = Field(default_factory=dict, repr=False)

    def account_number_of(self, number: str) -> str | None:
        """The account number that goes with ``number``: its own, else the order's."""
        return self.account_numbers.get(number, self.account_number)

    def pin_of(self, number: str) -> str | None:
        """The transfer PIN that goes with ``number``: its own, else the order's."""
        return self.pins.get(number, self.pin)

    def merged(self, newer: PortSecrets) -> PortSecrets:
        """These secrets with those that ``newer`` brings; what it leaves out stays."""
        return PortSecrets(
            account_number=newer.account_number or self.account_number,
            pin=newer.pin or self.pin,
            account_numbers={**self.account_numbers, **newer.account_numbers},
            pins={**self.pins, **newer.pins},
        )

    def limited_to(self, numbers: tuple[str, ...]) -> PortSecrets:
        """What a part of the order needs that has these numbers only."""
        return self.model_copy(
            update={
                "account_numbers": _of(self.account_numbers, numbers),
                "pins": _of(self.pins, numbers),
            }
        )

    @property
    def present(self) -> frozenset[OrderField]:
        """Which secrets there are, for pages that may say so but not what they are."""
        found = set()
        if self.account_number or self.account_numbers:
            found.add(OrderField.ACCOUNT_NUMBER)
        if self.pin or self.pins:
            found.add(OrderField.PIN)
        return frozenset(found)


def masked(secret: str | None) -> str | None:
    """A secret for people who know it: stars, and its last two characters when it has six or more."""
    if secret is None:
        return None
    shown = secret[-2:] if len(secret) >= 6 else ""
    return f"{'*' * 6}{shown}"


_PARTS: Final[Mapping[str, OrderField]] = {
    "customer_type": OrderField.CUSTOMER_TYPE,
    "account_name": OrderField.CUSTOMER_NAME,
    "signer": OrderField.AUTHORIZED_REPRESENTATIVE,
    "authorized_representative_title": OrderField.AUTHORIZED_REPRESENTATIVE,
    "authorized_representative_email": OrderField.AUTHORIZED_REPRESENTATIVE_EMAIL,
    "notification_emails": OrderField.NOTIFICATION_EMAILS,
    "billing_address": OrderField.BILLING_ADDRESS,
    "billing_telephone_number": OrderField.BILLING_TELEPHONE_NUMBER,
    "port_type": OrderField.PORT_TYPE,
    "new_billing_telephone_number": OrderField.NEW_BILLING_TELEPHONE_NUMBER,
    "remaining_numbers_action": OrderField.REMAINING_NUMBERS_ACTION,
    "requested_date": OrderField.REQUESTED_DATE,
    "customer_reference": OrderField.CUSTOMER_REFERENCE,
    "document_ids": OrderField.DOCUMENTS,
    "document_date": OrderField.DOCUMENTS,
    "pin_received_on": OrderField.PIN,
    "pin_expires_on": OrderField.PIN,
    "trunk_id": OrderField.TRUNK,
}


def changed_fields(before: PortDetails, after: PortDetails) -> frozenset[OrderField]:
    """Which parts differ. A name that is only written into another field is the same name.

    The ZIP is a part of its own: carriers compare it apart from the street and city.
    """
    found = {
        field for name, field in _PARTS.items() if getattr(before, name) != getattr(after, name)
    }
    old, new = before.service_address, after.service_address
    if old.zip != new.zip:
        found.add(OrderField.POSTAL_CODE)
    if old != new.model_copy(update={"zip": old.zip}):
        found.add(OrderField.SERVICE_ADDRESS)
    return frozenset(found)


def changed_secrets(before: PortSecrets, after: PortSecrets) -> frozenset[OrderField]:
    """Which secrets differ, without saying what they are."""
    found = set()
    if (before.account_number, before.account_numbers) != (
        after.account_number,
        after.account_numbers,
    ):
        found.add(OrderField.ACCOUNT_NUMBER)
    if (before.pin, before.pins) != (after.pin, after.pins):
        found.add(OrderField.PIN)
    return frozenset(found)


def _of(values: Mapping[str, str], numbers: tuple[str, ...]) -> dict[str, str]:
    return {number: value for number, value in values.items() if number in numbers}
