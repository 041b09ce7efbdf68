"""Two calls of the log side by side."""

from __future__ import annotations

from asyncio import to_thread

from api.authentication import Principal
from api.schemas.call_comparison import ComparisonView
from api.services.recordings import of_logged_call
from api.state import ApiState
from domain.call_comparison import Comparison, compare
from domain.trace import trace_of

__all__ = ["compared"]


async def compared(state: ApiState, principal: Principal, left: str, right: str) -> ComparisonView:
    """Both by id or Call-ID. Raises ``NotFound``."""
    one = await of_logged_call(state, principal, left)
    other = await of_logged_call(state, principal, right)

    def steps() -> Comparison:
        return compare(trace_of(one.messages), trace_of(other.messages))

    return ComparisonView.of(one.id, other.id, await to_thread(steps))
