"""Failover, codecs and alerts of a number or a trunk (contract 5.5)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, StrictBool

from api.schemas.number_views import EXAMPLE_CONFIGURATION, NumberView
from api.schemas.recipients import WebhookUrl
from api.schemas.trunk_fields import CodecNames, HostName, OptionsInput, misplaced
from api.validation import RequestModel, absent
from domain.trunk import Direction
from domain.trunk_config import (
    MAX_FAILOVER_ENDPOINTS,
    AlertConfig,
    CodecConfig,
    Failback,
    FailoverConfig,
    FailoverTrigger,
)
from sip.transports import Transport

__all__ = [
    "EXAMPLE_CONFIG",
    "EXAMPLE_CONFIGURED",
    "ConfigFields",
    "ConfigRequest",
    "ConfiguredNumberView",
]

EXAMPLE_CONFIG: Final[dict[str, Any]] = {
    "failover_config": {
        "enabled": True,
        "endpoints": [
            {"host": "sip1.provider.com", "port": 5061, "transport": "tls", "priority": 1},
            {"host": "sip2.provider.com", "port": 5061, "transport": "tls", "priority": 2},
        ],
        "triggers": ["unreachable", "timeout"],
        "failback": "auto",
    },
    "codec_config": {"codecs": ["PCMU", "PCMA", "Opus"], "transcode": False},
    "alert_config": {
        "enabled": True,
        "thresholds": {
            "unreachable_minutes": 5,
            "failure_rate_percent": 20,
            "failure_rate_window_minutes": 30,
            "response_time_ms": 500,
        },
        "channels": {
            "email": True,
            "sms": False,
            "webhook": "https://hooks.example.com/trunkline",
        },
    },
}

MAX_MINUTES = 7 * 24 * 60
MAX_MILLISECONDS = 60_000
MAX_PRIORITY = 1000
SHORTEST_HOLD_DOWN = 10
LONGEST_HOLD_DOWN = 3600

# Each kind of number has the bounds for itself: beside a union they are no JSON Schema.
_MINUTES = Field(strict=True, gt=0, le=MAX_MINUTES)
_PERCENT = Field(strict=True, gt=0, le=100)
_MILLISECONDS = Field(strict=True, gt=0, le=MAX_MILLISECONDS)

Minutes = Annotated[int, _MINUTES] | Annotated[float, _MINUTES]
Percent = Annotated[int, _PERCENT] | Annotated[float, _PERCENT]
Milliseconds = Annotated[int, _MILLISECONDS] | Annotated[float, _MILLISECONDS]


class EndpointInput(RequestModel):
    """One server that calls may go to."""

    host: HostName
    port: Annotated[int | None, Field(ge=1, le=65535, strict=True)] = None
    transport: Transport | None = None
    priority: Annotated[
        int | None,
        Field(
            ge=1,
            le=MAX_PRIORITY,
            strict=True,
            description="The lowest is the primary. Default: the place in the list, from 1 on.",
        ),
    ] = None


def _endpoints(given: list[EndpointInput]) -> list[EndpointInput]:
    """In the order of their priorities, of which each stands once."""
    placed = [
        each if each.priority is not None else each.model_copy(update={"priority": place})
        for place, each in enumerate(given, start=1)
    ]
    if len({each.priority for each in placed}) != len(placed):
        raise ValueError("two of them have the same priority")
    if len({(each.host, each.port, each.transport) for each in placed}) != len(placed):
        raise ValueError("one of them is there twice")
    return sorted(placed, key=lambda each: each.priority or 0)


def _once(given: list[FailoverTrigger]) -> list[FailoverTrigger]:
    return list(dict.fromkeys(given))


class FailoverInput(RequestModel):
    """Where calls go when an endpoint fails: the trunk's own ``sip_endpoint`` is the primary, these
    come behind it by their priority. ``GET /v1/sip/trunks/{trunk_id}/route`` shows where they go."""

    enabled: Annotated[StrictBool | None, Field(description="Default: true.")] = None
    endpoints: Annotated[
        Annotated[
            list[EndpointInput],
            Field(min_length=1, max_length=MAX_FAILOVER_ENDPOINTS),
            AfterValidator(_endpoints),
        ]
        | None,
        Field(description="Primary, secondary and tertiary; replaces the list."),
    ] = None
    triggers: Annotated[
        Annotated[
            list[FailoverTrigger],
            Field(min_length=1, max_length=16),
            AfterValidator(_once),
        ]
        | None,
        Field(description="Default: unreachable, timeout."),
    ] = None
    failback: Annotated[Failback | None, Field(description="Default: auto.")] = None
    canary: Annotated[
        StrictBool | None,
        Field(
            description="Give an endpoint that comes back one call, then a tenth of the new calls, "
            "then all. Default: false."
        ),
    ] = None
    hold_down_seconds: Annotated[
        int | None,
        Field(
            ge=SHORTEST_HOLD_DOWN,
            le=LONGEST_HOLD_DOWN,
            strict=True,
            description="How long an endpoint has to work without a break before calls return to "
            "it; each further failure within six hours doubles it, up to an hour. Default: 300.",
        ),
    ] = None


class CodecInput(RequestModel):
    """Codecs of calls."""

    codecs: Annotated[
        CodecNames | None,
        Field(
            description="Enabled codecs in order, under any name that they are known by, such as "
            "`G729` or `g722/8000`. Default: PCMU, PCMA, Opus."
        ),
    ] = None
    transcode: Annotated[
        StrictBool | None,
        Field(
            description="Convert media when the two sides share no codec. Stored and shown: media "
            "is not converted yet, so a call without a shared codec is refused (488)."
        ),
    ] = None


class ThresholdsInput(RequestModel):
    """When an alert is raised; `null` means never."""

    unreachable_minutes: Minutes | None = None
    failure_rate_percent: Percent | None = None
    failure_rate_window_minutes: Annotated[
        Minutes | None, Field(description="Default with failure_rate_percent: 30.")
    ] = None
    response_time_ms: Milliseconds | None = None


class ChannelsInput(RequestModel):
    """How alerts travel; recipients belong to the organization, and there must be one."""

    email: Annotated[StrictBool | None, Field(description="To its alert_emails.")] = None
    sms: Annotated[StrictBool | None, Field(description="To its alert_phones.")] = None
    webhook: Annotated[
        StrictBool | WebhookUrl | None,
        Field(description="A URL, or true for the organization's webhook_endpoints."),
    ] = None


class AlertInput(RequestModel):
    """What is worth an alert. Stored and shown: nothing raises alerts yet."""

    enabled: Annotated[StrictBool | None, Field(description="Default: true.")] = None
    thresholds: Annotated[
        ThresholdsInput | None, Field(description="Default: 5, 20, 30 and 500.")
    ] = None
    channels: ChannelsInput | None = None


class ConfigFields(RequestModel):
    """Members that are left out stay as they are, `null` clears, lists are replaced (RFC 7396)."""

    failover_config: FailoverInput | None = None
    codec_config: CodecInput | None = None
    alert_config: AlertInput | None = None

    def must_not_repeat(self, options: OptionsInput | None) -> None:
        """Refuse codecs that the options of the same request order too."""
        given = self.codec_config
        if given is None or options is None or given.codecs is None or options.codecs is None:
            return
        raise misplaced("codec_config.codecs", "options.codecs orders them already")


class ConfigRequest(ConfigFields):
    """Settings of one configuration of a number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"phone_number": "+14150000000", "direction": "outbound", **EXAMPLE_CONFIG}
            ]
        }
    )

    phone_number: Annotated[
        str,
        Field(description="E.164, or a DID or an extension of a trunk.", examples=["+14150000000"]),
    ]
    direction: Direction
    id: Annotated[
        str, Field(max_length=64, description="Which configuration; default the first.")
    ] = absent()


class ConfiguredNumberView(NumberView):
    """The number's configurations, and the settings of the one that was changed."""

    phone_number: str
    direction: Direction
    id: str
    failover_config: FailoverConfig | None
    codec_config: CodecConfig | None
    alert_config: AlertConfig | None


EXAMPLE_CONFIGURED: Final[dict[str, Any]] = {
    **EXAMPLE_CONFIGURATION,
    "phone_number": "+14150000000",
    "direction": "outbound",
    "id": EXAMPLE_CONFIGURATION["outbound"]["id"],
    **EXAMPLE_CONFIG,
}
