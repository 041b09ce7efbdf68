"""Destinations: what a customer pastes is read (contract 4.1), and what to paste is told (9.2)."""

from __future__ import annotations

from api.access import SipViewer
from api.documentation import answer
from api.envelope import Envelope
from api.routing import new_router
from api.schemas.destinations import EXAMPLE_PARSED, DestinationInput, ProviderList
from domain.destination import ParsedDestination, parse_destination
from domain.providers import PROVIDERS

__all__ = ["router"]

router = new_router("/v1/sip", tag="Destinations")


@router.post("/parse-destination", summary="Read a destination", responses=answer(EXAMPLE_PARSED))
async def read_destination(body: DestinationInput, _: SipViewer) -> Envelope[ParsedDestination]:
    """200 for every text: `valid` says whether it is a destination, `message` what to correct.

    `port`, `user` and `transport` are there only when the text has them.
    """
    return Envelope(data=parse_destination(body.input))


@router.get(
    "/providers",
    summary="List providers and PBXs",
    responses=answer({"providers": [PROVIDERS[0].model_dump(mode="json")]}),
)
async def list_providers(_: SipViewer) -> Envelope[ProviderList]:
    """What to enter as the destination for each, and where its owner finds it."""
    return Envelope(data=ProviderList(providers=list(PROVIDERS)))
