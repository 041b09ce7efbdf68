"""Bodies of the routes that configure numbers (contract 3.2 to 3.4)."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from api.schemas.trunk_fields import ConnectionFields, misplaced
from api.validation import RequestModel
from domain.header_mappings import HeaderMappings
from domain.trunk import MAX_CONFIGURATIONS, Direction

__all__ = [
    "MAX_NUMBERS",
    "AttachRequest",
    "DetachRequest",
    "DirectionInput",
    "UpdateRequest",
]

MAX_NUMBERS: Final = 100
MAX_TRUNK_ID = 64

PhoneNumber = Annotated[
    str,
    Field(
        description="E.164, or a DID or an extension of a trunk.",
        examples=["+14150000000"],
    ),
]
Service = Annotated[Literal["sip"], Field(description='Always "sip".')]


class DirectionInput(ConnectionFields):
    """One direction and how it is connected. Only ``inbound`` has ``auth_mode`` and
    ``register_auth``; ``outbound`` needs ``sip_endpoint`` unless a trunk is named."""

    type: Direction
    headers: Annotated[
        HeaderMappings | None, Field(description="SIP headers to variables, or back.")
    ] = None

    @model_validator(mode="after")
    def _fits_its_direction(self) -> Self:
        if self.type is Direction.OUTBOUND:
            for field in ("auth_mode", "register_auth"):
                if getattr(self, field) is not None:
                    raise misplaced(field, "only an inbound direction has it")
        if self.headers is not None and self.headers.direction is not self.type:
            raise misplaced("headers.direction", f"must be {self.type.value}, as type is")
        return self


class DirectionName(RequestModel):
    """One direction."""

    type: Direction


class AttachRequest(RequestModel):
    """Numbers and how they are connected; ``phone_number`` or ``phone_numbers``, not both."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "phone_numbers": ["+14150000001", "+14150000002", "+14150000003"],
                    "service": "sip",
                    "directions": [
                        {"type": "inbound", "auth_mode": "ip"},
                        {
                            "type": "outbound",
                            "sip_endpoint": "sip:trunk.provider.com",
                            "options": {"port": 5061, "transport": "tls", "secure_media": True},
                        },
                    ],
                }
            ]
        }
    )

    phone_number: PhoneNumber | None = None
    phone_numbers: Annotated[
        list[str] | None,
        Field(min_length=1, max_length=MAX_NUMBERS, description="Up to 100."),
    ] = None
    directions: Annotated[list[DirectionInput], Field(min_length=1, max_length=MAX_CONFIGURATIONS)]
    service: Service
    trunk_id: Annotated[
        str | None,
        Field(
            max_length=MAX_TRUNK_ID,
            description="Bind the numbers to this trunk; endpoint and credentials are its own.",
        ),
    ] = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.phone_number is None) == (self.phone_numbers is None):
            raise misplaced("phone_number", "give either phone_number or phone_numbers")
        for index, direction in enumerate(self.directions):
            place = f"directions.{index}"
            if self.trunk_id is None:
                _must_connect(direction, place)
        return self

    @property
    def numbers(self) -> list[str]:
        """The numbers as they were written."""
        return self.phone_numbers if self.phone_numbers is not None else [str(self.phone_number)]


class UpdateRequest(RequestModel):
    """Changes of one configuration of a number: fields that are left out stay as they are."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "phone_number": "+14150000000",
                    "updates": {
                        "type": "outbound",
                        "options": {"transport": "tcp", "port": None},
                    },
                }
            ]
        }
    )

    phone_number: PhoneNumber
    updates: DirectionInput
    id: Annotated[
        str | None,
        Field(max_length=64, description="Which configuration; default the first."),
    ] = None


class DetachRequest(RequestModel):
    """Directions to take away from a number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "phone_number": "+14150000000",
                    "directions": [{"type": "outbound"}],
                    "service": "sip",
                }
            ]
        }
    )

    phone_number: PhoneNumber
    directions: Annotated[list[DirectionName], Field(min_length=1, max_length=2)]
    service: Service


def _must_connect(direction: DirectionInput, place: str) -> None:
    """Without a trunk everything that a connection needs is in the request."""
    if direction.type is Direction.OUTBOUND and direction.sip_endpoint is None:
        raise misplaced(f"{place}.sip_endpoint", "an outbound direction needs one")
    direction.must_be_whole(f"{place}.")
