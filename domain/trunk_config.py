"""What a customer sets beside the connection itself: failover, codecs and alerts (contract 5.5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from domain.codecs import Codec
from sip.transports import Transport

__all__ = [
    "MAX_FAILOVER_ENDPOINTS",
    "STANDARD_HOLD_DOWN",
    "STANDARD_THRESHOLDS",
    "STANDARD_WINDOW_MINUTES",
    "AlertChannels",
    "AlertConfig",
    "AlertThresholds",
    "CodecConfig",
    "Failback",
    "FailoverConfig",
    "FailoverEndpoint",
    "FailoverTrigger",
]

MAX_FAILOVER_ENDPOINTS: Final = 3
"""Primary, secondary and tertiary."""


class FailoverTrigger(StrEnum):
    """What moves calls to the next endpoint."""

    UNREACHABLE = "unreachable"
    AUTH_FAILURE = "auth_failure"
    TIMEOUT = "timeout"


class Failback(StrEnum):
    """Who moves calls back to an endpoint that has come back."""

    AUTO = "auto"
    MANUAL = "manual"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FailoverEndpoint(_Value):
    """One endpoint; without ``port`` or ``transport`` RFC 3263 chooses. The lowest ``priority`` is
    the primary."""

    host: str
    port: int | None = None
    transport: Transport | None = None
    priority: int


STANDARD_HOLD_DOWN: Final = 300
"""Seconds."""


class FailoverConfig(_Value):
    """Endpoints in the order of their priority, and when to change between them.

    With ``canary`` an endpoint that comes back gets a few calls first. ``hold_down_seconds`` is how
    long it has to work without a break before. Neither is shown while it is as usual: clients of
    the published contract do not know them.
    """

    enabled: bool = True
    endpoints: tuple[FailoverEndpoint, ...] = ()
    triggers: tuple[FailoverTrigger, ...] = (FailoverTrigger.UNREACHABLE, FailoverTrigger.TIMEOUT)
    failback: Failback = Failback.AUTO
    canary: Annotated[bool, Field(exclude_if=lambda value: not value)] = False
    hold_down_seconds: Annotated[
        int, Field(exclude_if=lambda value: value == STANDARD_HOLD_DOWN)
    ] = STANDARD_HOLD_DOWN


class CodecConfig(_Value):
    """Enabled codecs in order. ``transcode`` asks for media to be converted when the two sides of a
    call share none of them."""

    codecs: tuple[Codec, ...]
    transcode: bool = False


class AlertThresholds(_Value):
    """When to raise an alert; what is ``None`` raises none.

    Minutes, percent of the calls within the window, and milliseconds.
    """

    unreachable_minutes: int | float | None = None
    failure_rate_percent: int | float | None = None
    failure_rate_window_minutes: int | float | None = None
    response_time_ms: int | float | None = None


STANDARD_WINDOW_MINUTES: Final = 30

STANDARD_THRESHOLDS: Final = AlertThresholds(
    unreachable_minutes=5,
    failure_rate_percent=20,
    failure_rate_window_minutes=STANDARD_WINDOW_MINUTES,
    response_time_ms=500,
)
"""The contract's example values, for whoever names none."""


class AlertChannels(_Value):
    """How an alert travels. E-mail addresses and phone numbers belong to the organization, and so
    do the webhook endpoints that ``True`` stands for; a URL is one of the trunk's own."""

    email: bool = False
    sms: bool = False
    webhook: bool | str | None = None


class AlertConfig(_Value):
    """What is worth an alert, and how it travels."""

    enabled: bool = True
    thresholds: AlertThresholds = STANDARD_THRESHOLDS
    channels: AlertChannels = AlertChannels()
