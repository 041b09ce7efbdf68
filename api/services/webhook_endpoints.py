"""Webhook endpoints of an organization: which URLs are accepted, kept, and shown.

The URL of Slack's incoming webhooks and the routing key of PagerDuty are secrets: who knows one may
write there. They are covered wherever the endpoint is shown, and a covered URL that comes back stands
for the one that is kept, so that a list can be read, changed and written.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from api.errors import ErrorItem, InvalidRequest
from api.schemas.recipients import (
    COVER,
    WebhookEndpointInput,
    WebhookEndpointView,
    WebhookFormat,
)
from settings import Network
from storage.ids import new_id

__all__ = ["kept", "view_of", "webhook_allowed"]

Stored = dict[str, Any]


def kept(
    wanted: Sequence[WebhookEndpointInput],
    present: Sequence[Stored],
    allowed_networks: tuple[Network, ...],
) -> list[Stored]:
    """The wanted endpoints as they are stored; one that is there already keeps its id.

    It is there when its id is given, or its URL, as a whole or covered. Raises ``InvalidRequest``.
    """
    endpoints: list[Stored] = []
    refused: list[ErrorItem] = []
    for index, each in enumerate(wanted):
        before = _before(each, present)
        url = each.url
        if before is not None and url == shown_url(before["url"], _format_of(before)):
            url = before["url"]
        problem = _problem(each, before, url, endpoints, allowed_networks)
        if problem is not None:
            member, reason = problem
            field = f"webhook_endpoints.{index}.{member}"
            refused.append(ErrorItem("INVALID_REQUEST", f"{field}: {reason}", field))
        endpoints.append(
            {
                "id": new_id("whk") if before is None else before["id"],
                "url": url,
                "description": each.description,
                "format": each.format.value,
            }
        )
    if refused:
        raise InvalidRequest.of(refused)
    return endpoints


def view_of(endpoint: Stored) -> WebhookEndpointView:
    """The endpoint as the API shows it."""
    form = _format_of(endpoint)
    return WebhookEndpointView(
        webhook_id=endpoint["id"],
        url=shown_url(endpoint["url"], form),
        description=endpoint["description"],
        format=form,
    )


def shown_url(url: str, form: WebhookFormat) -> str:
    """The URL without what is a secret in it."""
    match form:
        case WebhookFormat.STANDARD:
            return url
        case WebhookFormat.SLACK:
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}/{COVER}"
        case WebhookFormat.PAGERDUTY:
            return f"{url.partition('?')[0]}?routing_key={COVER}"


def webhook_allowed(url: str, allowed_networks: tuple[Network, ...]) -> bool:
    """Whether alerts may go there: by https, or inside the operator's own networks.

    Plain http elsewhere could be read on the way.
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or _inside(parts.hostname or "", allowed_networks)


def _before(wanted: WebhookEndpointInput, present: Sequence[Stored]) -> Stored | None:
    """What the endpoint was; ``None`` for a new one. A covered URL may stand for several."""
    if wanted.webhook_id is not None:
        return next((each for each in present if each["id"] == wanted.webhook_id), None)
    same = [each for each in present if each["url"] == wanted.url]
    covered = [each for each in present if shown_url(each["url"], _format_of(each)) == wanted.url]
    if same:
        return same[0]
    return covered[0] if len(covered) == 1 else None


def _problem(
    wanted: WebhookEndpointInput,
    before: Stored | None,
    url: str,
    others: Sequence[Stored],
    allowed_networks: tuple[Network, ...],
) -> tuple[str, str] | None:
    """The member that is wrong, and why."""
    if wanted.webhook_id is not None and before is None:
        return "webhook_id", "the organization has no such endpoint"
    if COVER in url and (before is None or url != before["url"]):
        return "url", "is covered; enter the whole URL, or the webhook_id of the one that is kept"
    if before is not None and before["id"] in {each["id"] for each in others}:
        return "webhook_id", "must not name the same endpoint twice"
    if url in {each["url"] for each in others}:
        return "url", "must not name the same recipient twice"
    if url != wanted.url and wanted.format is not _format_of(before or {}):
        return "url", "is covered; enter the whole URL to change the format"
    if not webhook_allowed(url, allowed_networks):
        return "url", "must start with https://"
    return None


def _format_of(endpoint: Stored) -> WebhookFormat:
    return WebhookFormat(endpoint.get("format", WebhookFormat.STANDARD))


def _inside(host: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)
