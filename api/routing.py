"""Routers and the route class of ``/v1``: the order in which a request is judged.

Key (401), entitlement and role (403), then the Idempotency-Key, then the body (400), then the route. A mutating
route runs inside :class:`api.changes.Change`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.access import Access
from api.authentication import Principal
from api.changes import Change
from api.envelope import EnvelopeJson, error_response
from api.error_handlers import REFUSALS, refusal
from api.errors import InvalidRequest
from api.idempotency import Attempt, begin
from api.state import ApiState, state_of

__all__ = ["TrunklineRoute", "new_router"]

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_MUTATIONS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def new_router(prefix: str, *, tag: str) -> APIRouter:
    """A router under ``prefix``, which is the whole path: log lines and metrics show it."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=TrunklineRoute,
        default_response_class=EnvelopeJson,
    )


class TrunklineRoute(APIRoute):
    """A route that admits its caller before it reads anything."""

    def get_route_handler(self) -> _Handler:
        carry_out = super().get_route_handler()
        gates = tuple(_gates(self.dependant))
        takes_json = self.body_field is not None

        async def handle(request: Request) -> Response:
            principal: Principal | None = None
            for gate in gates:
                principal = await gate.admit(request)
            if principal is not None and request.method in _MUTATIONS:
                return await _mutate(request, principal, carry_out, takes_json=takes_json)
            return await carry_out(request)

        return handle


def _gates(dependant: Dependant) -> Iterator[Access]:
    if isinstance(dependant.call, Access):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _gates(inner)


async def _mutate(
    request: Request, principal: Principal, carry_out: _Handler, *, takes_json: bool
) -> Response:
    state = state_of(request)
    attempt = await begin(request, principal, state)
    if isinstance(attempt, Response):
        return attempt
    if attempt is None:
        return await _carried_out(request, principal, state, carry_out, None, takes_json)
    try:
        return await _carried_out(request, principal, state, carry_out, attempt, takes_json)
    except REFUSALS as error:
        response = error_response(refusal(error))
        await attempt.keep(response)
        return response
    except BaseException:
        # A bug, or the server stops: nobody gets this answer, and the claim would only block repetitions.
        await asyncio.shield(attempt.release())
        raise


async def _carried_out(
    request: Request,
    principal: Principal,
    state: ApiState,
    carry_out: _Handler,
    attempt: Attempt | None,
    takes_json: bool,
) -> Response:
    change = Change(state.database, principal, keeps_answer=attempt is not None)
    async with change:
        request.state.change = change
        if takes_json:
            await _must_be_json(request)
        response = await carry_out(request)
        if attempt is not None:
            await attempt.keep(response, change)
    return response


async def _must_be_json(request: Request) -> None:
    """A body of another type is refused by name; no body at all is the route's own refusal."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    if await request.body():
        raise InvalidRequest("the body must be JSON with Content-Type: application/json")
