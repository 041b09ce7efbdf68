"""Firewalls and outbound setup: what a customer's network must know of ours (contract 5.1, 5.2)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query, Request, Response
from fastapi.responses import PlainTextResponse

from api.access import SipViewer
from api.dependencies import DatabaseDep
from api.documentation import answer, refusals
from api.envelope import Envelope, EnvelopeJson
from api.errors import NotFound, Unavailable
from api.routing import new_router
from api.schemas.network import EXAMPLE_FIREWALL, EXAMPLE_SETUP, FirewallView, SetupView
from api.services.network import etag_of, firewall, last_modified_of, region_of, setup
from api.state import state_of
from domain.firewall import FirewallFormat, OpenPorts, firewall_rules
from sip.transports import Transport

__all__ = ["router"]

router = new_router("/v1/sip", tag="Network")

CACHE = "private, max-age=300"
_TEXT: dict[str, Any] = {
    "text/plain": {"schema": {"type": "string"}, "example": "192.0.2.10\n192.0.2.11\n"}
}
_NO_REGION = Unavailable("the operator has not described the region us")


def _described() -> dict[int | str, dict[str, Any]]:
    entries = answer(EXAMPLE_FIREWALL, description="As JSON; other formats as plain text")
    entries[200]["content"] |= _TEXT
    return entries


@router.get(
    "/firewall-ips",
    summary="List the addresses to let in",
    response_model=Envelope[FirewallView],
    responses={
        **_described(),
        **refusals(_NO_REGION),
        304: {"description": "Nothing has changed since the `ETag` that was sent."},
    },
)
async def firewall_ips(
    request: Request,
    principal: SipViewer,
    database: DatabaseDep,
    output: Annotated[
        FirewallFormat,
        Query(alias="format", description="JSON, or rules to paste into that firewall."),
    ] = FirewallFormat.JSON,
    sip_port: Annotated[
        int, Query(ge=1, le=65535, description="Your own SIP port, for the rules.")
    ] = 5061,
    transport: Annotated[
        Transport, Query(description="What your SIP port speaks, for the rules.")
    ] = Transport.TLS,
    if_none_match: Annotated[
        str | None, Header(max_length=1024, description="`ETag` of the answer that you have.")
    ] = None,
) -> Response:
    """The region is the organization's. `changed_on` and `Last-Modified` say since when the list is
    as it is; send the `ETag` back as `If-None-Match` to hear 304 until it changes."""
    state = state_of(request)
    async with database.tenant(principal.org_id) as session:
        key, region = await region_of(session, state.regions, principal.org_id)
    response: Response
    if output is FirewallFormat.JSON:
        view = firewall(key, region, example=state.regions.example)
        response = EnvelopeJson({"data": view.model_dump(mode="json"), "errors": None})
    else:
        ports = OpenPorts(sip_port=sip_port, transport=transport, rtp_ports=region.rtp_ports)
        rules = firewall_rules(region, ports, output)
        response = PlainTextResponse(rules)
    headers = {
        "ETag": etag_of(bytes(response.body).decode()),
        "Last-Modified": last_modified_of(region),
        "Cache-Control": CACHE,
    }
    if if_none_match is not None and _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


@router.get(
    "/outbound-setup",
    summary="Get what to enter in a PBX",
    responses={
        **answer(EXAMPLE_SETUP),
        **refusals(NotFound("this number is not configured"), _NO_REGION),
    },
)
async def outbound_setup(
    request: Request,
    principal: SipViewer,
    database: DatabaseDep,
    phone_number: Annotated[
        str | None,
        Query(max_length=128, description="Adds this number's `credentials` when it registers."),
    ] = None,
) -> Envelope[SetupView]:
    """Where your PBX or carrier sends the calls that are meant for us, and how."""
    async with database.tenant(principal.org_id) as session:
        found = await setup(session, state_of(request).regions, principal.org_id, phone_number)
    return Envelope(data=found)


def _matches(header: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names the tag; the comparison is weak (RFC 9110 section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag in tags
