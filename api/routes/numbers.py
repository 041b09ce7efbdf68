"""Numbers: attached, shown, changed, detached (contract 3.1 to 3.6)."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Query, Request, Response

from api.access import SipEditor, SipViewer
from api.changes import ChangeDep
from api.dependencies import By, SecretBoxDep, SettingsDep
from api.documentation import answer, refusals
from api.envelope import Envelope, enveloped
from api.errors import Conflict, InvalidRequest, NotFound
from api.number_query import NumberQuery
from api.routing import new_router
from api.schemas.number_views import (
    EXAMPLE_ATTACHED,
    EXAMPLE_CONFIGURATION,
    EXAMPLE_NUMBERS,
    AttachView,
    NumberList,
    NumberView,
    PasswordView,
    UpdatedNumberView,
)
from api.schemas.numbers import AttachRequest, DetachRequest, UpdateRequest
from api.schemas.trunk_config import EXAMPLE_CONFIGURED, ConfigRequest, ConfiguredNumberView
from api.services import number_list, numbers
from api.services.attach import attach
from api.services.number_changes import configure, detach, update
from api.state import state_of
from domain.passwords import generated_password

__all__ = ["router"]

router = new_router("/v1/sip", tag="Numbers")

_LENGTHS = {"standard": 16, "long": 32}
_NOT_CONFIGURED = NotFound("this number is not configured")


def _not_a_length() -> InvalidRequest:
    """Contract section 1."""
    return InvalidRequest(
        "length must be a number between 8 and 256.", field="length", code="BAD_REQUEST"
    )


Number = Annotated[
    str,
    Query(
        max_length=128,
        description="E.164 with `+` as `%2B`, or a DID or an extension of a trunk.",
        examples=["+14150000000"],
    ),
]


@router.get(
    "",
    summary="Get a number's configuration",
    response_model=Envelope[NumberView],
    responses={**answer(EXAMPLE_CONFIGURATION), **refusals(_NOT_CONFIGURED)},
)
async def get_number(principal: SipViewer, request: Request, phone_number: Number) -> Response:
    """Of each direction the configuration that is used first, and all of them in route order."""
    database = state_of(request).database
    return enveloped(await numbers.configuration_of(database, principal.org_id, phone_number))


@router.post(
    "/attach",
    summary="Attach numbers",
    responses={
        **answer(EXAMPLE_ATTACHED, description="What became of each number"),
        **refusals(
            InvalidRequest(
                "directions.1.sip_endpoint: an outbound direction needs one",
                field="directions.1.sip_endpoint",
            ),
            NotFound("no such trunk", field="trunk_id"),
            Conflict("the trunk has no endpoint to send calls to", code="TRUNK_HAS_NO_ENDPOINT"),
        ),
    },
)
async def attach_numbers(
    principal: SipEditor, body: AttachRequest, by: By, change: ChangeDep, secret_box: SecretBoxDep
) -> Envelope[AttachView]:
    """Configures up to 100 numbers alike. A number that cannot be is in `failed` and stays as it
    was; the others are configured. What is there already is not added again; another connection
    is added behind those of its direction, up to ten for each number."""
    org_id = principal.org_id
    session = await change.of(org_id)
    return Envelope(data=await attach(session, secret_box, org_id, body, actor=by))


@router.post(
    "/update",
    summary="Update a number",
    responses={**answer(EXAMPLE_CONFIGURATION), **refusals(_NOT_CONFIGURED)},
)
async def update_number(
    principal: SipEditor, body: UpdateRequest, by: By, change: ChangeDep, secret_box: SecretBoxDep
) -> Envelope[UpdatedNumberView]:
    """Changes the first configuration of the direction, or the one that `id` names. `options` are
    merged key by key and `null` clears one; `headers` are replaced. Other numbers that were
    attached alike stay as they are."""
    org_id = principal.org_id
    session = await change.of(org_id)
    return Envelope(data=await update(session, secret_box, org_id, body, actor=by))


@router.patch(
    "/config",
    summary="Set failover, codecs and alerts",
    responses={
        **answer(EXAMPLE_CONFIGURED),
        **refusals(
            _NOT_CONFIGURED,
            InvalidRequest(
                "alert_config.channels.sms: nobody would hear it; give the organization "
                "alert_phones first",
                field="alert_config.channels.sms",
            ),
        ),
    },
)
async def configure_number(
    principal: SipEditor,
    body: ConfigRequest,
    by: By,
    change: ChangeDep,
    secret_box: SecretBoxDep,
    settings: SettingsDep,
) -> Envelope[ConfiguredNumberView]:
    """Settings of the first configuration of the direction, or of the one that `id` names. Members
    are merged (RFC 7396): what is left out stays, `null` clears, lists are replaced. Other numbers
    that were attached alike stay as they are."""
    org_id = principal.org_id
    session = await change.of(org_id)
    configured = await configure(
        session,
        secret_box,
        org_id,
        body,
        actor=by,
        allowed_networks=settings.allowed_networks,
    )
    return Envelope(data=configured)


@router.post(
    "/detach",
    summary="Detach a number",
    responses={
        **answer({**EXAMPLE_CONFIGURATION, "outbound": None, "outbound_configs": []}),
        **refusals(_NOT_CONFIGURED),
    },
)
async def detach_number(
    principal: SipEditor, body: DetachRequest, by: By, change: ChangeDep
) -> Envelope[NumberView]:
    """Takes whole directions away, and answers what is left."""
    org_id = principal.org_id
    session = await change.of(org_id)
    return Envelope(data=await detach(session, org_id, body, actor=by))


@router.get(
    "/numbers",
    summary="List numbers",
    response_model=Envelope[NumberList],
    responses=answer(EXAMPLE_NUMBERS),
)
async def list_numbers(principal: SipViewer, request: Request, query: NumberQuery) -> Response:
    """All numbers in the order of their text; with `limit` a page of them."""
    database = state_of(request).database
    org_id, after = principal.org_id, query.after()
    if query.limit is None:
        found = await number_list.every(database, org_id, query.wanted, after=after)
    else:
        found = await number_list.page(
            database, org_id, query.wanted, limit=query.limit, after=after
        )
    data: dict[str, Any] = {"numbers": found.numbers}
    if found.last is not None:
        data["next_cursor"] = query.cursor_behind(found.last)
    return enveloped(data)


@router.get(
    "/generate-password",
    summary="Generate a password",
    responses={
        **answer({"password": "Kf7mQ2pXvR9nLs4TbWc8HdJ3eGm5nPq7", "length": 32}),
        **refusals(_not_a_length()),
    },
)
async def generate_password(
    _: SipViewer,
    length: Annotated[
        str | None,
        Query(description="8 to 256; beyond, the nearest of them.", examples=["32"]),
    ] = None,
    strength: Annotated[
        str | None,
        Query(description="`standard` (16) or `long` (32), when `length` is not given."),
    ] = None,
) -> Envelope[PasswordView]:
    """A random password without characters that look alike or need an escape; kept nowhere."""
    size = _size(length, strength)
    made = generated_password(size, secrets.choice)
    return Envelope(data=PasswordView(password=made, length=len(made)))


def _size(length: str | None, strength: str | None) -> int:
    if length is not None:
        text = length.strip()
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise _not_a_length()
        # Longer digits than these are out of range all the same.
        return int(text[:8])
    if strength is not None and strength not in _LENGTHS:
        raise InvalidRequest("strength: must be standard or long", field="strength")
    return _LENGTHS[strength or "standard"]
