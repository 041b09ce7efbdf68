"""Who makes a change, as the audit log names them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from api.authentication import Principal
from api.request_context import request_id_of

__all__ = ["Actor", "actor_of"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An API key or a person; ``kind`` is one of those that ``storage.audit.Actor`` names.

    ``request_id`` names the HTTP request, if there was one.
    """

    kind: str
    id: str | None
    request_id: str | None = None


def actor_of(request: Request, principal: Principal) -> Actor:
    """The key that sent the request."""
    return Actor("api_key", principal.key_id, request_id_of(request.scope))
