"""Real traffic: where other servers' captured messages are taken, and where ours are sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from settings.values import CommaSeparated, split_server

__all__ = ["HEP_PORT", "TrafficSettings"]

HEP_PORT = 9060
"""Where Homer listens."""


class TrafficSettings(BaseSettings):
    """Of ``trunkline hep``, and of what is exported."""

    hep_udp: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = Field(
        default=("127.0.0.1:9060",),
        description="Addresses and ports on which `trunkline hep` takes HEPv3 over UDP. Open them to "
        "your own servers only: UDP has no other protection than `TRUNKLINE_HEP_KEY`.",
    )
    hep_tcp: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = Field(
        default=(), description="The same over TCP."
    )
    hep_tls: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = Field(
        default=(),
        description="The same over TLS, with `TRUNKLINE_HEP_TLS_CERTIFICATE` and `TRUNKLINE_HEP_TLS_KEY`.",
    )
    hep_tls_certificate: str | None = Field(
        default=None, description="File of the collector's certificate and its chain (PEM)."
    )
    hep_tls_key: str | None = Field(
        default=None, description="File of the key of that certificate (PEM, not encrypted)."
    )
    hep_key: SecretStr | None = Field(
        default=None,
        description="What exporters must send as their authentication key; packets with another one "
        "are dropped and counted.",
    )
    hep_metrics_port: int = Field(
        default=9465,
        ge=0,
        le=65535,
        description="Loopback port of the collector's Prometheus metrics; 0 picks a free one.",
    )
    hep_max_calls: int = Field(
        default=20_000,
        ge=100,
        le=1_000_000,
        description="Calls in progress that the collector remembers, about 10 kB each; further ones "
        "are dropped and counted.",
    )
    hep_export: str | None = Field(
        default=None,
        description="Where the messages of test calls are exported in HEPv3: `udp:`, `tcp:` or `tls:`, "
        "and address and port, such as `udp:192.0.2.9:9060`. Credentials and keys are covered.",
    )
    hep_export_probes: bool = Field(
        default=False, description="Export the probes of discoveries too."
    )
    hep_export_key: SecretStr | None = Field(
        default=None, description="Authentication key that the collector there asks for."
    )
    hep_export_id: int = Field(
        default=2_001,
        ge=0,
        le=2**32 - 1,
        description="Capture id under which it is told our messages.",
    )
    hep_export_name: str | None = Field(
        default=None, description="Name that its certificate must be for, over TLS."
    )
    traffic_days_kept: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Whole days that SIP messages, and calls of real traffic, are kept.",
    )

    @field_validator("hep_udp", "hep_tcp", "hep_tls", mode="after")
    @classmethod
    def _hep_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            split_server(address, default_port=HEP_PORT)
        return value

    @field_validator("hep_export", mode="after")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        if value is not None:
            transport, _, place = value.partition(":")
            if transport not in ("udp", "tcp", "tls"):
                raise ValueError("must begin with udp:, tcp: or tls:")
            split_server(place, default_port=HEP_PORT)
        return value
