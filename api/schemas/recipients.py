"""Who hears about alerts: e-mail addresses, phone numbers and webhook endpoints."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

from api.validation import RequestModel
from domain.host_names import HostKind, InvalidDestination, parse_host

__all__ = [
    "COVER",
    "AlertEmails",
    "AlertPhones",
    "WebhookEndpointInput",
    "WebhookEndpointView",
    "WebhookEndpoints",
    "WebhookFormat",
]

COVER: Final = "***"
"""Stands for the secret part of a URL wherever one is shown."""

# Enough for a team with shifts; an alert goes to each of them.
MAX_RECIPIENTS = 50
MAX_WEBHOOKS = 10
# RFC 5321 4.5.3.1: 64 octets of local part, 256 of path less its two angle brackets.
MAX_LOCAL_PART = 64
MAX_EMAIL = 254
MAX_URL = 2048

# RFC 5321 4.1.2 Dot-string; quoted local parts are legal and nobody's address.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# E.164: at most 15 digits; the shortest international numbers in use have 8 or so.
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_URL_CHARACTERS = re.compile(r"[\x21-\x7e]+")
# PagerDuty's have 32 characters; what speaks like it may have others.
_ROUTING_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}")


class WebhookFormat(StrEnum):
    """What is posted to a webhook."""

    STANDARD = "standard"
    """Our own JSON, signed by Standard Webhooks."""
    SLACK = "slack"
    PAGERDUTY = "pagerduty"


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or len(local) > MAX_LOCAL_PART or _LOCAL_PART.fullmatch(local) is None:
        raise ValueError("is not an e-mail address")
    try:
        host = parse_host(domain)
    except InvalidDestination as error:
        raise ValueError(f"is not an e-mail address: {error.message}") from error
    if host.kind is not HostKind.HOSTNAME or "." not in host.text:
        raise ValueError("is not an e-mail address: its domain has no dot")
    return f"{local}@{host.text}"


def _phone(text: str) -> str:
    if _E164.fullmatch(text) is None:
        raise ValueError("must be E.164: + and 8 to 15 digits, without spaces")
    return text


def _webhook_url(text: str) -> str:
    """Checks the form only; whether plain http is accepted depends on the operator's networks."""
    if _URL_CHARACTERS.fullmatch(text) is None:
        raise ValueError("must be a URL of printable ASCII characters without spaces")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise ValueError("is not a URL") from error
    if url.scheme not in {"https", "http"} or not url.hostname:
        raise ValueError("must start with https://")
    if url.username is not None or url.password is not None:
        raise ValueError("must not hold a user name or a password")
    if url.fragment or port == 0:
        raise ValueError("must hold neither a fragment nor port 0")
    try:
        parse_host(url.hostname)
    except InvalidDestination as error:
        raise ValueError(error.message) from error
    return text


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("must not name the same recipient twice")
    return values


Email = Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
WebhookUrl = Annotated[str, Field(max_length=MAX_URL), AfterValidator(_webhook_url)]

AlertEmails = Annotated[
    list[Email],
    Field(max_length=MAX_RECIPIENTS, description="E-mail addresses that get alerts."),
    AfterValidator(_distinct),
]
AlertPhones = Annotated[
    list[Phone],
    Field(max_length=MAX_RECIPIENTS, description="E.164 numbers that get alerts by SMS."),
    AfterValidator(_distinct),
]


class WebhookEndpointInput(RequestModel):
    """An address that gets alerts by HTTP POST."""

    format: Annotated[
        WebhookFormat,
        Field(
            description="`standard`: JSON signed with the organization's signing secret. `slack`: a Slack "
            "incoming webhook. `pagerduty`: Events API v2, for instance "
            "`https://events.pagerduty.com/v2/enqueue?routing_key=` and the integration key."
        ),
    ] = WebhookFormat.STANDARD
    url: Annotated[
        WebhookUrl,
        Field(
            description="https, without user and password. As it is shown, with `***` for its secret, it "
            "stands for the one that is kept."
        ),
    ]
    description: Annotated[str, Field(max_length=200)] = ""
    webhook_id: Annotated[
        str | None,
        Field(
            max_length=64,
            description="Of the endpoint that this one replaces; without it the URL tells.",
        ),
    ] = None

    @field_validator("url")
    @classmethod
    def _fits_the_format(cls, url: str, info: ValidationInfo) -> str:
        parts = urlsplit(url)
        match info.data.get("format"):
            case WebhookFormat.SLACK if not parts.path.strip("/"):
                raise ValueError("must be the whole URL that Slack shows, with its path")
            case WebhookFormat.PAGERDUTY if not _holds_routing_key(parts.query):
                raise ValueError("must end with ?routing_key= and the integration key alone")
        return url


def _holds_routing_key(query: str) -> bool:
    members = parse_qs(query, keep_blank_values=True, max_num_fields=4)
    keys = members.pop("routing_key", [])
    if members or len(keys) != 1:
        return False
    return keys[0] == COVER or _ROUTING_KEY.fullmatch(keys[0]) is not None


class WebhookEndpointView(BaseModel):
    """A webhook endpoint; it keeps its id as long as its id or its URL stays in the list."""

    webhook_id: str
    url: Annotated[
        str,
        Field(
            description="Slack's path and PagerDuty's routing key are secrets, shown as `***`; sent back "
            "like that, they stay."
        ),
    ]
    description: str
    format: WebhookFormat


def _distinct_urls(values: list[WebhookEndpointInput]) -> list[WebhookEndpointInput]:
    # Covered URLs of one host look the same: their ids tell them apart.
    _distinct([f"{each.webhook_id or ''} {each.url}" for each in values])
    return values


WebhookEndpoints = Annotated[
    list[WebhookEndpointInput],
    Field(max_length=MAX_WEBHOOKS, description="Replaces the whole list."),
    AfterValidator(_distinct_urls),
]
