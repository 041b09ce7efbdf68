"""Bodies of the porting routes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from api.schemas.port_fields import (
    CarrierInformation,
    Day,
    DocumentIds,
    OrderChanges,
    PhoneNumbers,
    Pins,
    Secret,
)
from api.validation import RequestModel, absent
from carriers.simulator_state import Scenario

__all__ = [
    "CommentRequest",
    "DocumentsRequest",
    "DraftRequest",
    "InitiateRequest",
    "PinsRequest",
    "RescheduleRequest",
    "ResubmitRequest",
    "SimulateRequest",
]

_ADDRESS: Final = {
    "street": "1 Main St",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94105",
    "country": "US",
}

EXAMPLE_INITIATE: Final[dict[str, Any]] = {
    "phone_numbers": ["+14150000000", "+14150000001"],
    "losing_carrier_information": {
        "customer_type": "business",
        "business_name": "Acme, Inc.",
        "first_name": "Jane",
        "last_name": "Doe",
        "account_number": "00412-88",
        "authorized_representative_email": "jane@acme.com",
        "notification_emails": ["it@acme.com"],
        "address": {**_ADDRESS, "street2": "Suite 4"},
    },
    "target_port_date": "2030-03-12",
    "documents": ["doc_4fJq0ZxYbT1mN8cRw2LkPa"],
    "pin": "4711",
}
EXAMPLE_NEWER: Final[dict[str, Any]] = {
    "phone_numbers": ["+14150000000"],
    "losing_carrier_information": {
        "customer_type": "Business",
        "customer_name": "Acme, Inc.",
        "account_number": "00412-88",
        "account_telephone_number": "+14150000000",
        "authorized_representative": "Jane Doe",
        "authorized_representative_email": "jane@acme.com",
        "address": {**_ADDRESS, "street_2": "Suite 4"},
    },
    "target_port_in_date": "2030-03-12",
    "documents": ["doc_4fJq0ZxYbT1mN8cRw2LkPa"],
    "phone_number_pins": {"+14150000000": "4711"},
    "notification_emails": ["it@acme.com"],
}


_ON_DEMAND = Annotated[
    bool,
    Field(
        strict=True,
        description="On the confirmed day, wait with the switch until `activate` is asked for.",
    ),
]


class InitiateRequest(OrderChanges):
    """A whole order, in the guide's words, the newer generation's, or both."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_INITIATE, EXAMPLE_NEWER]})

    phone_numbers: PhoneNumbers
    losing_carrier_information: CarrierInformation
    continue_without: Annotated[
        bool,
        Field(
            strict=True,
            description="Order the rest when some numbers cannot be ported; otherwise nothing is "
            "ordered then.",
        ),
    ] = False
    on_demand: _ON_DEMAND = False


class DraftRequest(OrderChanges):
    """As much of an order as is known yet. What was given before and is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "phone_numbers": ["+14150000000"],
                    "losing_carrier_information": {"business_name": "Acme, Inc."},
                }
            ]
        }
    )

    phone_numbers: PhoneNumbers = absent()
    on_demand: _ON_DEMAND = False


class ResubmitRequest(OrderChanges):
    """The corrected fields only."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"losing_carrier_information": {"customer_name": "Acme Incorporated"}}]
        }
    )


class RescheduleRequest(RequestModel):
    """Another date."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"requested_date": "2030-03-19"}]})

    requested_date: Annotated[Day, Field(description="A day where the losing carrier is.")]


class CommentRequest(RequestModel):
    """A comment for the timeline."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "The bill lists Jane as Janet.", "public": True}]}
    )

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    public: Annotated[
        bool, Field(strict=True, description="`false`: for operators only, who alone may say so.")
    ] = True


class DocumentsRequest(RequestModel):
    """Documents for an order that misses some."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"documents": ["doc_4fJq0ZxYbT1mN8cRw2LkPa"], "document_date": "2030-02-20"}
            ]
        }
    )

    documents: Annotated[DocumentIds, Field(min_length=1)]
    document_date: Annotated[Day | None, Field(description="Day on which the bill was issued.")] = (
        None
    )


class PinsRequest(RequestModel):
    """Transfer PINs, which are best asked for when everything else is ready."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"phone_number_pins": {"+14150000001": "4711"}, "pin_received_on": "2030-03-01"}
            ]
        }
    )

    pin: Annotated[Secret, Field(description="PIN of all numbers.")] = absent()
    phone_number_pins: Pins = absent()
    pin_received_on: Day | None = None
    pin_expires_on: Day | None = None


class SimulateRequest(RequestModel):
    """What the simulated carrier does with the order, or what happens to it now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scenario": "name_mismatch"}, {"event": "inbound_call"}]}
    )

    scenario: Annotated[
        Scenario, Field(description="How the order goes; chosen before it is sent.")
    ] = absent()
    event: Annotated[
        Literal["inbound_call", "carrier_news"],
        Field(
            description="`inbound_call`: a call came to every number; `carrier_news`: the carrier is "
            "asked at once how the order stands."
        ),
    ] = absent()
