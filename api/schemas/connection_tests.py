"""Answer of a connection test (contract 7.6)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from domain.connection_test import ConnectionProblem, explain

__all__ = ["EXAMPLE_REACHABLE", "EXAMPLE_UNREACHABLE", "ConnectionTestView"]

EXAMPLE_REACHABLE: Final[dict[str, Any]] = {
    "reachable": True,
    "sip_code": 200,
    "response_time_ms": 42,
}
EXAMPLE_UNREACHABLE: Final[dict[str, Any]] = {
    "reachable": False,
    "sip_code": None,
    "response_time_ms": None,
    "error": "tls_handshake_failed",
    "message": explain(ConnectionProblem.TLS_HANDSHAKE_FAILED),
}


class ConnectionTestView(BaseModel):
    """Whether the trunk's endpoint answered; any SIP response says that it is there."""

    reachable: bool
    sip_code: int | None
    response_time_ms: Annotated[
        int | None, Field(description="From the request to its response, without connecting.")
    ]
    error: Annotated[
        ConnectionProblem | None,
        Field(description="Why it was not reached.", exclude_if=lambda problem: problem is None),
    ] = None
    message: Annotated[
        str | None,
        Field(description="The same for a person.", exclude_if=lambda words: words is None),
    ] = None
