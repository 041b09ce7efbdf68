"""The transaction of one mutation.

It ends when the answer is ready, not when the route returns: the answer kept for an Idempotency-Key is
written in the same transaction as the change, so that after a crash either both are there or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Annotated, Self

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from storage.engine import Database

__all__ = ["Change", "ChangeDep"]


class Change:
    """Opened by the route class around a mutating route; commits on exit, rolls back on an error."""

    def __init__(self, database: Database, principal: Principal, *, keeps_answer: bool) -> None:
        self._database = database
        self._principal = principal
        self._keeps_answer = keeps_answer
        self._stack = AsyncExitStack()
        self._after: list[Callable[[], None]] = []
        self.session: AsyncSession | None = None

    async def of(self, org_id: str) -> AsyncSession:
        """The session of the transaction, which sees this organization. Ask for it once.

        Raises ``DatabaseUnavailable``.
        """
        if self.session is not None:
            raise RuntimeError("a mutation is one transaction")
        # An operator's answer is kept under the operator's organization, outside of this one's scope.
        foreign = org_id != self._principal.org_id
        scope = (
            self._database.system()
            if foreign and self._keeps_answer
            else self._database.tenant(org_id)
        )
        self.session = await self._stack.enter_async_context(scope)
        return self.session

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call this once the change is visible to others."""
        self._after.append(callback)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)
        if error is None:
            for callback in self._after:
                callback()


async def _of_request(request: Request) -> Change:
    change: Change = request.state.change
    return change


ChangeDep = Annotated[Change, Depends(_of_request)]
