"""What bodies of port orders are made of (contract 6.3, both generations and what is ours beside them).

Carriers compare what is sent with their record to the letter, so text is taken as it was written.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    model_validator,
)

from api.schemas.recipients import Email
from api.validation import RequestModel, absent
from domain.phone_numbers import InvalidNumber, number_of
from domain.porting.words import PortType, RemainingNumbers

__all__ = [
    "E164",
    "MAX_NUMBERS",
    "AddressBody",
    "AddressChanges",
    "CarrierInformation",
    "CarrierInformationChanges",
    "Day",
    "DocumentIds",
    "NumberBody",
    "OrderChanges",
    "PhoneNumbers",
    "Pins",
    "Secret",
    "Word",
]

MAX_NUMBERS: Final = 100
MAX_DOCUMENTS: Final = 20
MAX_SECRET: Final = 64
MAX_WORD: Final = 200

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must be one line without control characters")
    return text


def _e164(text: str) -> str:
    try:
        return number_of(text)
    except InvalidNumber as error:
        raise ValueError(str(error)) from error


def _day(value: Any) -> Any:
    """The day of an ISO 8601 text as it is written there: nobody means the day before in another
    time zone."""
    if isinstance(value, str) and _DAY.match(value) and (len(value) == 10 or value[10] in "T "):
        return value[:10]
    if value is None or isinstance(value, date):
        return value
    raise ValueError("must be a date such as 2026-03-09")


def _secret(value: SecretStr) -> SecretStr:
    if not 0 < len(value.get_secret_value()) <= MAX_SECRET:
        raise ValueError(f"must have 1 to {MAX_SECRET} characters")
    return value


Word = Annotated[str, Field(max_length=MAX_WORD), AfterValidator(_one_line)]
E164 = Annotated[str, Field(max_length=64), AfterValidator(_e164)]
Day = Annotated[date, BeforeValidator(_day)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
DocumentIds = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(max_length=MAX_DOCUMENTS, description="`document_sid` of uploaded documents."),
]
Pins = Annotated[
    dict[E164, Secret],
    Field(max_length=MAX_NUMBERS, description="Transfer PIN by number."),
]


class NumberBody(RequestModel):
    """A number with what its losing carrier asks for it alone."""

    number: Annotated[E164, Field(description="E.164.", examples=["+14150000000"])]
    pin: Annotated[Secret, Field(description="Its number transfer PIN; never shown again.")] = (
        absent()
    )
    account_number: Annotated[
        Secret, Field(description="Its account, if another one than the order's.")
    ] = absent()


def _form(value: Any) -> str:
    return "object" if isinstance(value, dict | NumberBody) else "text"


PhoneNumbers = Annotated[
    list[
        Annotated[
            Annotated[E164, Tag("text")] | Annotated[NumberBody, Tag("object")],
            Discriminator(_form),
        ]
    ],
    Field(
        min_length=1,
        max_length=MAX_NUMBERS,
        description="Numbers in E.164, or objects with a `pin` and an `account_number` of their own.",
    ),
]


class AddressChanges(RequestModel):
    """Parts of an address; those that are left out stay."""

    street: Word = absent()
    street2: Annotated[Word | None, Field(description="As the guide spells it.")] = None
    street_2: Annotated[Word | None, Field(description="As the newer generation spells it.")] = None
    city: Word = absent()
    state: Annotated[Word, Field(description="Two letters, such as `CA`.")] = absent()
    zip: Word = absent()
    country: Annotated[Word, Field(description="`US` or `CA`.")] = absent()


class AddressBody(AddressChanges):
    """Where the service is installed, as the losing carrier has it."""

    street: Word
    city: Word
    state: Annotated[Word, Field(description="Two letters, such as `CA`.")]
    zip: Word


_CustomerType = Annotated[
    Literal["business", "personal", "individual", "Business", "Individual"],
    Field(description="Whose account it is; `personal` and `Individual` are one."),
]


class CarrierInformationChanges(RequestModel):
    """Parts of what the losing carrier has on file; those that are left out stay."""

    customer_type: _CustomerType = absent()
    customer_name: Annotated[Word, Field(description="Name of the account as on the bill.")] = (
        absent()
    )
    business_name: Word | None = None
    first_name: Word | None = None
    last_name: Word | None = None
    account_number: Annotated[
        Secret, Field(description="As the newest bill prints it; never shown again.")
    ] = absent()
    account_telephone_number: Annotated[
        E164, Field(description="Main number of the bill; the same as `billing_telephone_number`.")
    ] = absent()
    authorized_representative: Annotated[
        Word, Field(description="Who signs; listed on the account.")
    ] = absent()
    authorized_representative_title: Word = absent()
    authorized_representative_email: Annotated[
        Email, Field(description="The link to the letter of authorization goes here.")
    ] = absent()
    notification_emails: Annotated[list[Email], Field(max_length=20)] = absent()
    address: AddressChanges = absent()
    billing_address: Annotated[
        AddressBody | None, Field(description="Where bills go, if elsewhere.")
    ] = None


class CarrierInformation(CarrierInformationChanges):
    """What the losing carrier has on file."""

    customer_type: _CustomerType
    authorized_representative_email: Annotated[
        Email, Field(description="The link to the letter of authorization goes here.")
    ]
    address: AddressBody


class OrderChanges(RequestModel):
    """Parts of an order, in either generation's words; those that are left out stay."""

    losing_carrier_information: CarrierInformationChanges = absent()
    target_port_date: Annotated[
        Day | None, Field(description="The date asked for (ISO 8601); left out, the earliest one.")
    ] = None
    target_port_in_date: Annotated[
        Day | None, Field(description="The same, as the newer generation spells it.")
    ] = None
    documents: DocumentIds = absent()
    document_date: Annotated[Day | None, Field(description="Day on which the bill was issued.")] = (
        None
    )
    pin: Annotated[Secret, Field(description="Transfer PIN of all numbers.")] = absent()
    phone_number_pins: Pins = absent()
    pin_received_on: Annotated[
        Day | None, Field(description="Day on which the carrier gave the PIN.")
    ] = None
    pin_expires_on: Annotated[Day | None, Field(description="Its last day, if it is known.")] = None
    notification_emails: Annotated[
        list[Email],
        Field(max_length=20, description="Who is told; left out, the representative."),
    ] = absent()
    port_type: Annotated[
        PortType | None, Field(description="Whether all numbers of the account move.")
    ] = None
    billing_telephone_number: Annotated[
        E164 | None, Field(description="Main number of the bill (BTN).")
    ] = None
    new_billing_telephone_number: Annotated[
        E164 | None, Field(description="Main number of those that stay.")
    ] = None
    remaining_numbers_action: RemainingNumbers | None = None
    customer_reference: Annotated[Word | None, Field(description="Your own name for it.")] = None
    trunk_id: Annotated[
        str | None,
        Field(
            max_length=64,
            description="Trunk on which completed numbers take calls.",
        ),
    ] = None

    @model_validator(mode="after")
    def _each_thing_once(self) -> Self:
        if {"target_port_date", "target_port_in_date"} <= self.model_fields_set:
            raise ValueError("give target_port_date or target_port_in_date, not both")
        info = self.losing_carrier_information
        inside = set() if info is None else info.model_fields_set
        if "notification_emails" in inside & self.model_fields_set:
            raise ValueError("give notification_emails once")
        if "account_telephone_number" in inside and "billing_telephone_number" in (
            self.model_fields_set
        ):
            raise ValueError("account_telephone_number and billing_telephone_number are the same")
        return self
