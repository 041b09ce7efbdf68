"""The API application: its dependencies, its layers and its routes."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import Scope

from api.authentication import Authenticator
from api.body_limit import BodyLimit
from api.error_handlers import install_error_handlers
from api.metrics import ApiMetrics
from api.network import load_regions
from api.openapi import DESCRIPTION, TAGS, complete
from api.porting import open_porting
from api.request_context import RequestContext
from api.routes import (
    alerts,
    audit,
    call_log,
    call_traces,
    carrier_webhooks,
    connection_tests,
    destinations,
    discovery,
    health,
    keys,
    me,
    network,
    numbers,
    operations,
    organizations,
    port_changes,
    port_checks,
    port_documents,
    port_drafts,
    port_orders,
    port_papers,
    port_signature_events,
    state,
    test_calls,
    trunk_drills,
    trunk_routes,
    trunk_snippets,
    trunks,
)
from api.signing import routes as signing
from api.state import ApiState
from api.temporal import TemporalGateway
from api.upkeep import Upkeep, running_upkeep
from observability.metrics import TemporalRuntime
from observability.propagation import LogIds
from observability.tracing import Tracing
from settings import Settings
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.notify import Listener
from storage.secret_box import SecretBox

__all__ = ["ROUTERS", "SettingMissing", "create_app", "product_version"]

# A request is compared with one route after the other, so what is asked for most comes first.
ROUTERS: tuple[APIRouter, ...] = (
    numbers.router,
    trunks.router,
    health.router,
    organizations.router,
    keys.router,
    me.router,
    destinations.router,
    discovery.router,
    trunk_snippets.router,
    connection_tests.router,
    trunk_routes.router,
    trunk_drills.router,
    state.router,
    network.router,
    audit.router,
    test_calls.router,
    call_traces.router,
    call_log.router,
    alerts.router,
    # What has a path of its own before the order with any id.
    port_checks.router,
    port_documents.router,
    port_drafts.router,
    port_orders.router,
    port_changes.router,
    port_papers.router,
    operations.router,
)

KEYLESS: tuple[APIRouter, ...] = (
    signing.router,
    port_signature_events.router,
    carrier_webhooks.router,
)
"""Routes of callers who have no key: they bring a link, or sign what they send."""

_UNTRACED = ("/healthz", "/readyz", "/metrics")


class SettingMissing(Exception):
    """A setting without which the API cannot start; the text names it."""


def product_version() -> str:
    """The installed version; ``0`` from a bare checkout."""
    try:
        return version("trunkline")
    except PackageNotFoundError:
        return "0"


class TrunklineApi(FastAPI):
    """FastAPI with what all routes share added to the OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    temporal: TemporalGateway | None = None,
    temporal_runtime: TemporalRuntime | None = None,
    tracing: Tracing | None = None,
    routers: Sequence[APIRouter] = ROUTERS,
) -> FastAPI:
    """The application over these settings. What is given is used and left open at the end, what is not is
    built and closed.

    Raises ``SettingMissing`` without a key ring, ``InvalidKeyRing``, ``InvalidRegions``, ``InvalidCarriers`` and
    ``ValueError`` for a malformed key ring, regions file, carriers file or database URL. Its start raises ``UnsafeRole`` when the database role could read past
    row-level security; a database or a Temporal that is away is waited for.
    """
    if settings.secret_keys is None:
        raise SettingMissing(
            "TRUNKLINE_SECRET_KEYS is not set: give it `id:base64` of 32 random bytes"
        )
    url = settings.database_url.get_secret_value()
    pool = database or Database(
        url, pool_size=settings.database_pool_size, application="trunkline-api"
    )
    metrics = ApiMetrics()
    state = ApiState(
        settings=settings,
        regions=load_regions(settings.regions_file),
        database=pool,
        listener=Listener(url),
        temporal=temporal or _gateway(settings, temporal_runtime, tracing),
        authenticator=Authenticator(pool),
        secret_box=SecretBox.from_key_ring(settings.secret_keys.get_secret_value()),
        porting=open_porting(settings, pool),
        metrics=metrics,
        upkeep=Upkeep(),
        temporal_runtime=temporal_runtime,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if database is None:
                stack.push_async_callback(pool.dispose)
            if tracing is not None:
                stack.push_async_callback(to_thread, tracing.stop)
            # While the database is away the role is checked before the first key is believed.
            with suppress(DatabaseUnavailable):
                await pool.check_role()
            await stack.enter_async_context(state.listener)
            upkeep = running_upkeep(
                state.upkeep, pool, state.temporal, traffic_days_kept=settings.traffic_days_kept
            )
            await stack.enter_async_context(upkeep)
            stack.push_async_callback(state.porting.documents.close)
            yield

    app = TrunklineApi(
        title="Trunkline",
        version=product_version(),
        summary="Self-hosted SIP trunk control plane",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        servers=[{"url": settings.public_url}] if settings.public_url else None,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": tracing is not None,
            "tracer_provider": tracing.provider if tracing else None,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": _is_untraced,
        },
    )
    app.state.trunkline = state
    # The last one added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestContext, metrics=metrics)
    install_error_handlers(app)
    # Our routers need nothing of the application, so their routes are taken as they are: an included
    # router is matched twice, and in each of its routes by a detour.
    for router in (*routers, *KEYLESS):
        app.router.routes.extend(router.routes)
    return app


def _gateway(
    settings: Settings, runtime: TemporalRuntime | None, tracing: Tracing | None
) -> TemporalGateway:
    return TemporalGateway(
        settings,
        runtime=runtime.runtime if runtime else None,
        interceptors=[LogIds(), *([tracing.interceptor()] if tracing else [])],
    )


def _is_untraced(scope: Scope) -> bool:
    path = scope.get("path", "")
    # The address of a signing page holds what lets its reader sign.
    return path in _UNTRACED or path.startswith("/sign/")
