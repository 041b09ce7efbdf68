"""What every process needs to know: databases, Temporal, addresses, limits, ports."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from domain.call_settings import is_user_part
from settings.values import CommaSeparated, Duration, Network, split_server

__all__ = ["ProcessSettings"]


class ProcessSettings(BaseSettings):
    """Of the API, the worker, the command line and the one-machine system."""

    database_url: SecretStr = Field(
        default=SecretStr("postgresql://trunkline_app@127.0.0.1:5432/trunkline"),
        description="PostgreSQL for the API and the worker. Its role must own no table and must "
        "not bypass row-level security.",
    )
    database_owner_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL as the role that owns the tables; only `trunkline migrate` uses it.",
    )
    database_pool_size: int = Field(
        default=10,
        ge=2,
        le=200,
        description="Connections of a process to PostgreSQL for its transactions. Beyond them a "
        "process keeps up to four for single reads, each worker one for what calls write as they go "
        "on and four for what it watches, and each API process one that listens for it: count all of them in `max_connections`.",
    )
    temporal_address: str = Field(
        default="127.0.0.1:7233", description="Temporal frontend as host:port."
    )
    temporal_namespace: str = Field(default="default", description="Temporal namespace.")
    temporal_api_key: SecretStr | None = Field(
        default=None, description="API key of a Temporal Cloud namespace; implies TLS."
    )
    temporal_tls: bool = Field(default=False, description="Connect to Temporal over TLS.")
    temporal_ui_url: str | None = Field(
        default=None, description="Address of the Temporal Web UI, for operators' links."
    )
    secret_keys: SecretStr | None = Field(
        default=None,
        description="Key ring that seals secrets at rest: `id:base64` of 32 bytes each, separated "
        "by commas, the current key first.",
    )

    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(
        default=8080, ge=0, le=65535, description="Port of the API; 0 picks a free one."
    )
    public_url: str | None = Field(
        default=None, description="Address under which customers reach the API, if it is another."
    )
    worker_metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the worker's /metrics; 0 picks a free one."
    )
    worker_max_activities: int = Field(
        default=200, ge=1, le=10_000, description="Activities one worker runs at a time."
    )
    worker_grace: Duration = Field(
        default=timedelta(seconds=10),
        description="How long a stopping worker lets its activities finish (ISO 8601 or seconds).",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log record that is written."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="Logs as one JSON object a line, or for a person's eyes."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="OTLP/HTTP collector for traces, for instance http://127.0.0.1:4318; unset "
        "turns tracing off.",
    )

    public_address: str | None = Field(
        default=None,
        description="Address written into Via, Contact and SDP when the host is behind NAT; unset "
        "takes the source address of the route to the target.",
    )
    user_agent: str = Field(
        default="Trunkline/0.1 (+https://trunkline.example/probing)",
        description="User-Agent header of every SIP request; name a page that says who probes.",
    )
    from_domain: str | None = Field(
        default=None, description="Host part of From in probes; unset takes the source address."
    )
    allowed_networks: Annotated[tuple[Network, ...], NoDecode, CommaSeparated] = Field(
        default=(),
        description="Networks (CIDR, separated by commas) that outbound connections may reach "
        "although they are loopback, private or otherwise not public.",
    )
    dns_servers: Annotated[tuple[str, ...], NoDecode, CommaSeparated] = Field(
        default=(),
        description="DNS servers as address or address:port, separated by commas; unset takes the "
        "system's.",
    )
    tls_ca_file: str | None = Field(
        default=None,
        description="PEM file of certification authorities trusted beside the system's.",
    )
    regions_file: str | None = Field(
        default=None,
        description="TOML file of your regions, their SIP servers and addresses; unset shows the "
        "example of the public contract, labelled as such.",
    )
    discovery_runs_per_target: int = Field(
        default=20, ge=1, le=10_000, description="Discoveries of one target in one hour."
    )
    health_interval_seconds: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="Seconds between two OPTIONS to a target that is watched; the same for every "
        "worker and API process.",
    )
    health_history_kept: Duration = Field(
        default=timedelta(days=90),
        ge=timedelta(days=31),
        description="How long changes of health and of DNS answers are kept, with the messages that "
        "prove them (ISO 8601 or seconds).",
    )
    test_callee: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Whom test calls dial when the request names nobody: an extension or number "
        "that answers on every trunk; unset dials the tested number itself.",
    )
    test_calls_per_window: int = Field(
        default=10, ge=1, le=1000, description="Test calls of one organization within the window."
    )
    test_call_window: Duration = Field(
        default=timedelta(minutes=15),
        ge=timedelta(seconds=1),
        le=timedelta(days=1),
        description="Length of the sliding window of that limit (ISO 8601 or seconds).",
    )
    media_port_first: int = Field(
        default=10_000, ge=1024, le=65_535, description="First UDP port of calls' RTP and RTCP."
    )
    media_port_last: int = Field(
        default=20_000, ge=1024, le=65_535, description="Last UDP port of calls' RTP and RTCP."
    )

    lab_network: Network = Field(
        default=ipaddress.IPv4Network("127.0.60.0/24"),
        description="Loopback block of the lab's fake SIP peers, one address each.",
    )
    var_dir: str = Field(default="var", description="Folder of the one-machine system's data.")
    temporal_port: int = Field(
        default=7233, ge=0, le=65535, description="Port of the embedded Temporal; 0 picks one."
    )
    temporal_ui_port: int = Field(
        default=8233, ge=0, le=65535, description="Port of the embedded Temporal's Web UI."
    )
    mail_port: int = Field(
        default=1025, ge=0, le=65535, description="SMTP port of the mail sink; 0 picks a free one."
    )
    mail_ui_port: int = Field(
        default=8025, ge=0, le=65535, description="HTTP port of the mail sink; 0 picks a free one."
    )

    @field_validator("dns_servers", mode="after")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for server in value:
            split_server(server)
        return value

    @field_validator("test_callee", mode="after")
    @classmethod
    def _user_part(cls, value: str | None) -> str | None:
        if value is not None and not is_user_part(value):
            raise ValueError(f"{value!r} cannot be the user part of a SIP URI")
        return value

    @model_validator(mode="after")
    def _room_for_a_call(self) -> Self:
        # RTP takes an even port, RTCP the odd one behind it (RFC 3550 section 11).
        first_even = self.media_port_first + self.media_port_first % 2
        if first_even + 1 > self.media_port_last:
            raise ValueError(
                "media_port_first to media_port_last must hold an even port and the one behind it"
            )
        return self

    def media_ports(self) -> range:
        """Every UDP port that RTP and RTCP may take."""
        return range(self.media_port_first, self.media_port_last + 1)

    def nameservers(self) -> tuple[tuple[str, int], ...] | None:
        """DNS servers as (address, port); ``None`` means the system's."""
        return tuple(split_server(server) for server in self.dns_servers) or None
