"""The API's way to Temporal: connected at the first use, and never waited for longer than 5 s.

The API starts and serves rows while Temporal is away; only what needs it answers 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from temporalio.client import Client, Interceptor
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from api.errors import Unavailable
from observability.logs import get_logger
from settings import Settings
from temporal_client import connect, register_search_attributes

__all__ = ["CALL_DEADLINE", "TemporalGateway"]

_log = get_logger("trunkline.temporal")
Result = TypeVar("Result")

CALL_DEADLINE = timedelta(seconds=5)

# What says "not now" or "you are not let in"; neither is the customer's mistake. Everything else (not
# found, already exists, invalid argument) is an answer, and the caller's to understand.
_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.PERMISSION_DENIED,
    }
)


# A namespace whose owner registers search attributes himself; he has, or will.
_NOT_OURS_TO_REGISTER = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})


class TemporalGateway:
    """Runs calls against Temporal under a deadline and turns its absence into 503."""

    def __init__(
        self,
        settings: Settings,
        *,
        runtime: Runtime | None = None,
        interceptors: Sequence[Interceptor] = (),
        deadline: timedelta = CALL_DEADLINE,
    ) -> None:
        self._settings = settings
        self._runtime = runtime
        self._interceptors = interceptors
        self._deadline = deadline
        self._client: Client | None = None
        self._is_registered = False
        self._connecting = asyncio.Lock()

    async def call(
        self,
        operation: Callable[[Client], Awaitable[Result]],
        *,
        deadline: timedelta | None = None,
    ) -> Result:
        """The result of ``operation(client)``.

        Raises ``Unavailable`` when Temporal cannot be reached, does not answer in time or lets us not
        in; other errors of the SDK (``WorkflowAlreadyStartedError``, ``RPCError`` not found) pass through.
        """
        limit = deadline or self._deadline
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await operation(await self._connected())
        except TimeoutError as error:
            raise self._away("no answer in time") from error
        except RPCError as error:
            if error.status in _AWAY:
                raise self._away(f"{error.status.name}: {error.message}") from error
            raise

    async def check(self, *, deadline: timedelta | None = None) -> None:
        """Ask the frontend whether it serves. Raises ``Unavailable``."""

        async def health(client: Client) -> bool:
            return await client.service_client.check_health()

        if not await self.call(health, deadline=deadline):
            raise self._away("the frontend does not serve")

    async def client_if_near(self) -> Client | None:
        """The client, or ``None`` while Temporal is away; for work that can wait."""
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return await self._connected()
        except (TimeoutError, Unavailable):
            return None

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
            if not self._is_registered:
                self._is_registered = await _has_registered(self._client)
        # From here on the channel reconnects by itself, and a break is an RPCError of the call.
        return self._client

    async def _connect(self) -> Client:
        try:
            return await connect(
                self._settings, runtime=self._runtime, interceptors=self._interceptors
            )
        except RuntimeError as error:
            # The SDK has no narrower type for a connection that failed.
            raise self._away(str(error)) from error

    def _away(self, reason: str) -> Unavailable:
        _log.warning("temporal is away", address=self._settings.temporal_address, reason=reason)
        return Unavailable("Temporal cannot be reached at the moment")


async def _has_registered(client: Client) -> bool:
    """Whether the namespace was told what our workflows are searched by; else it is to be told again.

    Nobody's call fails by it: the namespace may know already.
    """
    try:
        await register_search_attributes(client)
    except RPCError as error:
        _log.warning(
            "search attributes are not registered",
            namespace=client.namespace,
            reason=f"{error.status.name}: {error.message}",
        )
        return error.status in _NOT_OURS_TO_REGISTER
    return True
