"""The header mappings of a trunk, from how a request writes them to how they are stored and shown."""

from __future__ import annotations

from typing import Any

from api.errors import InvalidRequest
from api.schemas.trunks import HeadersInput
from domain.header_mappings import HeaderMappings, flat_problem
from domain.trunk import TrunkDirection

__all__ = ["stored_headers"]


def stored_headers(given: HeadersInput | None, direction: TrunkDirection) -> dict[str, Any] | None:
    """What is stored for a trunk of this direction; an empty list is the same as none.

    Raises ``InvalidRequest``.
    """
    if given is None:
        return None
    if not isinstance(given, HeaderMappings):
        problem = flat_problem(given)
        if problem is not None:
            raise InvalidRequest(f"headers: {problem}", field="headers")
        return dict(given) or None
    if not direction.serves(given.direction):
        raise InvalidRequest(
            f"headers.direction: only {direction.value} calls are carried",
            field="headers.direction",
        )
    return given.model_dump(mode="json", exclude_defaults=True) if given.headers else None
