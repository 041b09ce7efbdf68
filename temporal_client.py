"""How every process of ours connects to Temporal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from settings import Settings
from workflows.names import SEARCH_ATTRIBUTES

__all__ = ["REGISTRATION_DEADLINE", "connect", "register_search_attributes"]

REGISTRATION_DEADLINE: Final = timedelta(seconds=5)


async def connect(
    settings: Settings,
    *,
    runtime: Runtime | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """A connected client with the converter that all histories are written with.

    Raises ``RuntimeError`` when Temporal cannot be reached: the SDK has no narrower type.
    """
    api_key = settings.temporal_api_key
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        api_key=api_key.get_secret_value() if api_key else None,
        tls=settings.temporal_tls or api_key is not None,
        data_converter=pydantic_data_converter,
        interceptors=interceptors,
        runtime=runtime,
    )


async def register_search_attributes(client: Client) -> None:
    """Make the namespace know our search attributes; no change when it does.

    A workflow that sets an unknown one fails to start, so whoever comes first registers. Raises
    ``RPCError``, after ``REGISTRATION_DEADLINE`` at the latest.
    """
    request = AddSearchAttributesRequest(
        namespace=client.namespace,
        search_attributes={
            key.name: IndexedValueType.ValueType(int(key.indexed_value_type))
            for key in SEARCH_ATTRIBUTES
        },
    )
    try:
        await client.operator_service.add_search_attributes(request, timeout=REGISTRATION_DEADLINE)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
