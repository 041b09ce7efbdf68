"""The operator's regions: where customers send calls, and which addresses of ours they let in.

Source: public contract 5.1, 5.2, 9 and 9.1. The values come from a TOML file; the one beside this
module is the labelled example.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from ipaddress import ip_network
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sip.transports import Transport

__all__ = ["InvalidRegions", "RegionFacts", "Regions", "parse_regions"]

MAX_ADDRESSES: Final = 500
"""Addresses of a region and kind: more than any firewall's list holds comfortably."""


class InvalidRegions(ValueError):
    """The operator's file is no list of regions; ``str`` says where and why."""


class RegionFacts(BaseModel):
    """One region as its customers need to know it.

    ``signaling`` and ``media`` are networks in CIDR notation, a single address without its prefix.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$")]
    location: Annotated[str, Field(max_length=80)] = ""
    sip_server: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 5061
    transport: Transport = Transport.TLS
    signaling: Annotated[tuple[str, ...], Field(max_length=MAX_ADDRESSES)] = ()
    media: Annotated[tuple[str, ...], Field(max_length=MAX_ADDRESSES)] = ()
    rtp_ports: tuple[int, int] = (10000, 20000)
    changed_on: date

    @field_validator("signaling", "media")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_network(value) for value in values))

    @model_validator(mode="after")
    def _ports_in_order(self) -> RegionFacts:
        first, last = self.rtp_ports
        if not 1024 <= first < last <= 65535:
            raise ValueError("rtp_ports are the first and the last port, 1024 to 65535")
        return self

    @property
    def media_addresses(self) -> tuple[str, ...]:
        """Where RTP comes from."""
        return self.media or self.signaling

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, those of signalling first, each once (contract 5.1)."""
        return tuple(dict.fromkeys((*self.signaling, *self.media)))


class Regions(BaseModel):
    """Every region by its key; ``example`` marks the shipped list, which is nobody's to use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    example: bool = False
    regions: Mapping[str, RegionFacts]


def parse_regions(text: str) -> Regions:
    """Read a regions file. Raises ``InvalidRegions``."""
    try:
        return Regions.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidRegions(f"not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRegions(f"{where}: {first['msg']}") from error


def _network(text: str) -> str:
    network = ip_network(text)
    return str(network.network_address) if network.num_addresses == 1 else str(network)
