"""For the operator's probes and Prometheus; outside of ``/v1`` and of the envelope, without a key."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.readiness import Check, Readiness, readiness
from api.state import state_of
from observability.metrics import CONTENT_TYPE, exposition

__all__ = ["router"]

router = APIRouter(tags=["Operations"])

_CHECKS = {"database": Check(ok=True, ms=0.9), "temporal": Check(ok=True, ms=1.4)}
_EXAMPLE_READY = Readiness(ready=True, checks={**_CHECKS, "worker": Check(ok=True, ms=1.1)})
_EXAMPLE_NOT_READY = Readiness(
    ready=False,
    checks={
        **_CHECKS,
        "worker": Check(
            ok=False,
            ms=1.1,
            problem="no worker was seen in the last 15 s",
            mend="Start a worker with `trunkline worker`, on the same database as this API.",
        ),
    },
)


class Alive(BaseModel):
    """Whether the process should go on living."""

    alive: bool


@router.get(
    "/healthz",
    summary="Is the process alive?",
    responses={
        200: {"content": {"application/json": {"example": {"alive": True}}}},
        503: {
            "model": Alive,
            "description": "Restart the process",
            "content": {"application/json": {"example": {"alive": False}}},
        },
    },
)
async def healthz(request: Request, response: Response) -> Alive:
    """Asks nothing of anybody else; restart the process when this fails."""
    alive = not state_of(request).upkeep.has_failed
    response.status_code = 200 if alive else 503
    return Alive(alive=alive)


@router.get(
    "/readyz",
    summary="Can the process do its work?",
    responses={
        200: {"content": {"application/json": {"example": _EXAMPLE_READY.model_dump()}}},
        503: {
            "model": Readiness,
            "description": "A part is away; `mend` says what to do",
            "content": {"application/json": {"example": _EXAMPLE_NOT_READY.model_dump()}},
        },
    },
)
async def readyz(request: Request, response: Response) -> Readiness:
    """Database, Temporal, and a worker seen in the last 15 s. 503 when one of them is missing."""
    found = await readiness(state_of(request))
    if not found.ready:
        response.status_code = 503
    return found


@router.get(
    "/metrics",
    summary="Prometheus metrics of this process",
    response_class=Response,
    responses={
        200: {
            "content": {
                CONTENT_TYPE: {
                    "schema": {"type": "string"},
                    "example": "trunkline_http_requests_in_flight 1.0\n",
                }
            }
        }
    },
)
async def metrics(request: Request) -> Response:
    """The API's own and those of the Temporal SDK in this process."""
    state = state_of(request)
    sdk = "" if state.temporal_runtime is None else await state.temporal_runtime.scrape()
    return Response(exposition(state.metrics.registry, sdk), media_type=CONTENT_TYPE)
