"""Who hears about alerts: e-mail addresses, phone numbers and webhook endpoints."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field

from api.validation import RequestModel
from domain.host_names import HostKind, InvalidDestination, parse_host

__all__ = [
    "AlertEmails",
    "AlertPhones",
    "WebhookEndpointInput",
    "WebhookEndpointView",
    "WebhookEndpoints",
]

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
    """An address that gets alerts by HTTP POST, signed with the organization's signing secret."""

    url: Annotated[WebhookUrl, Field(description="https, without user and password.")]
    description: Annotated[str, Field(max_length=200)] = ""


class WebhookEndpointView(BaseModel):
    """A webhook endpoint; it keeps its id as long as its URL stays in the list."""

    webhook_id: str
    url: str
    description: str


def _distinct_urls(values: list[WebhookEndpointInput]) -> list[WebhookEndpointInput]:
    _distinct([each.url for each in values])
    return values


WebhookEndpoints = Annotated[
    list[WebhookEndpointInput],
    Field(max_length=MAX_WEBHOOKS, description="Replaces the whole list."),
    AfterValidator(_distinct_urls),
]
