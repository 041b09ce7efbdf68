"""The whole configuration of an organization as one document."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from api.schemas.trunk_config import EXAMPLE_CONFIG, ConfigFields
from api.schemas.trunk_fields import ConnectionFields, misplaced
from api.schemas.trunks import HeadersInput, TrunkDraft
from api.validation import RequestModel
from domain.trunk import MAX_CONFIGURATIONS, Direction

__all__ = [
    "EXAMPLE_STATE",
    "MAX_NEW_CONNECTIONS",
    "MAX_STATE_NUMBERS",
    "MAX_STATE_TRUNKS",
    "CarrierInput",
    "NumbersInput",
    "StateInput",
    "TrunkInput",
]

MAX_STATE_NUMBERS: Final = 10_000
"""A document is judged and carried out in one transaction, for which other changes wait."""
MAX_STATE_TRUNKS: Final = 1_000
MAX_NEW_CONNECTIONS: Final = 1_000
"""Unnamed trunks to be made; those that are there already do not count."""
MAX_NAME = 200

EXAMPLE_STATE: Final[dict[str, Any]] = {
    "version": 1,
    "trunks": [
        {
            "name": "Acme Carrier, US East",
            "provider": "custom",
            "direction": "both",
            "sip_endpoint": "sip:trunk.acme.example",
            "auth_mode": "ip",
            "options": {"sip_username": "acme", "sip_password": "********"},
            "headers": {"X-Account": "acme"},
            **EXAMPLE_CONFIG,
        }
    ],
    "numbers": [
        {
            "phone_numbers": ["+14150000001", "+14150000002"],
            "inbound": [{"auth_mode": "ip"}],
            "outbound": [
                {"trunk": "Acme Carrier, US East"},
                {
                    "sip_endpoint": "sip:backup.provider.com",
                    "options": {"port": 5061, "transport": "tls", "secure_media": True},
                },
            ],
        },
        {"phone_numbers": ["2001"], "outbound": [{"trunk": "Acme Carrier, US East"}]},
    ],
}


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be 1")
    return value


class TrunkInput(TrunkDraft):
    """A named trunk. A password that reads `********` stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_STATE["trunks"][0]]})

    trunk_id: Annotated[
        str | None,
        Field(
            max_length=64,
            description="Which trunk this is; default the one with this name, else a new one. "
            "Needed to give a trunk another name, and when several have one name.",
        ),
    ] = None


class CarrierInput(ConnectionFields, ConfigFields):
    """What carries the calls of a direction: a named trunk, or the settings of an unnamed one."""

    trunk: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME)]
        | None,
        Field(
            description="Name or `trunk_id` of a trunk of this document; nothing else beside it.",
        ),
    ] = None
    headers: Annotated[
        HeadersInput | None, Field(description="SIP headers to variables, or back.")
    ] = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.trunk is None:
            self.must_be_whole()
            self.must_not_repeat(self.options)
            return self
        for name in type(self).model_fields:
            if name != "trunk" and getattr(self, name) is not None:
                raise misplaced(name, "comes from the trunk; change it there")
        return self


Carriers = Annotated[list[CarrierInput], Field(max_length=MAX_CONFIGURATIONS)]


class NumbersInput(RequestModel):
    """Numbers that are configured alike, and what carries each direction, the first to try first.

    `outbound` has no `auth_mode` and no `register_auth`; without a trunk it needs `sip_endpoint`.
    """

    phone_numbers: Annotated[
        list[str],
        Field(
            min_length=1,
            max_length=MAX_STATE_NUMBERS,
            description="As stored: E.164 with +, or a DID or an extension verbatim.",
        ),
    ]
    inbound: Carriers = Field(default_factory=list)
    outbound: Carriers = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_configured(self) -> Self:
        count = len(self.inbound) + len(self.outbound)
        if count == 0:
            raise misplaced("inbound", "a number needs a configuration; leave it out to detach it")
        if count > MAX_CONFIGURATIONS:
            raise misplaced("outbound", f"a number has at most {MAX_CONFIGURATIONS} configurations")
        for index, each in enumerate(self.outbound):
            _must_call_out(each, f"outbound.{index}")
        return self

    def carriers(self, direction: Direction) -> list[CarrierInput]:
        """What carries this direction, in route order."""
        return self.inbound if direction is Direction.INBOUND else self.outbound


class StateInput(RequestModel):
    """Everything that shall be configured. What is not in it is taken away."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_STATE]})

    version: Annotated[
        Literal[1],
        # In Python true is one.
        BeforeValidator(_no_boolean),
        Field(description="Of the form of this document."),
    ]
    trunks: Annotated[list[TrunkInput], Field(max_length=MAX_STATE_TRUNKS)]
    numbers: Annotated[list[NumbersInput], Field(max_length=MAX_STATE_NUMBERS)]

    @model_validator(mode="after")
    def _is_not_too_large(self) -> Self:
        if sum(len(each.phone_numbers) for each in self.numbers) > MAX_STATE_NUMBERS:
            raise misplaced("numbers", f"at most {MAX_STATE_NUMBERS} numbers in one document")
        return self


def _must_call_out(carrier: CarrierInput, place: str) -> None:
    if carrier.trunk is not None:
        return
    for name in ("auth_mode", "register_auth"):
        if getattr(carrier, name) is not None:
            raise misplaced(f"{place}.{name}", "only an inbound direction has it")
    if carrier.sip_endpoint is None:
        raise misplaced(f"{place}.sip_endpoint", "an outbound direction needs one")
