"""The outermost layer of every request: its id, its log line, its count, and the answer to a bug."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from time import perf_counter
from urllib.parse import parse_qsl

from opentelemetry import trace
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.envelope import error_response
from api.errors import ApiError, InternalError, InvalidRequest, NotFound
from api.metrics import ApiMetrics
from observability.context import log_ids
from observability.logs import get_logger

__all__ = ["REQUEST_ID_HEADER", "RequestContext", "new_request_id", "request_id_of"]

REQUEST_ID_HEADER = "X-Request-Id"

_RawHeaders = list[tuple[bytes, bytes]]

_log = get_logger("trunkline.api")
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
# Answers hold customers' data and now and then a secret.
_STANDARD_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
# What proxies and clients really send: UUIDs, trace ids, dotted and slashed names.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# Probes come every few seconds and say nothing while they succeed.
_QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
_UNMATCHED = "(none)"
# The client went away before the answer began; the number is nginx's.
_CLIENT_GONE = 499


def new_request_id() -> str:
    """A fresh id with 96 random bits."""
    return "req_" + secrets.token_hex(12)


def request_id_of(scope: Scope) -> str:
    """The id given to this request."""
    value = scope["state"]["request_id"]
    return value if isinstance(value, str) else ""


class RequestContext:
    """ASGI middleware around everything else, so that every answer carries its request id."""

    def __init__(self, app: ASGIApp, *, metrics: ApiMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _accepted(Headers(scope=scope).get(REQUEST_ID_HEADER)) or new_request_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message["headers"], request_id)
            await send(message)

        started = perf_counter()
        self._metrics.begun()
        with log_ids(request_id=request_id):
            try:
                refusal = _unstorable_address(scope)
                if refusal is not None:
                    await error_response(refusal)(scope, receive, send_with_id)
                else:
                    await self._app(scope, receive, send_with_id)
            # The boundary of the process: an error that nothing below expected is a bug, whatever its
            # type, and the client must still get an answer that names the request.
            except Exception as error:
                _log.exception("request failed", route=_route(scope), method=scope["method"])
                trace.get_current_span().record_exception(error)
                if status is not None:
                    raise
                await error_response(InternalError(request_id))(scope, receive, send_with_id)
            finally:
                self._report(scope, status or _CLIENT_GONE, perf_counter() - started)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        self._metrics.answered(method, route, status, seconds)
        log = _log.debug if route in _QUIET_ROUTES else _log.info
        log("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _accepted(value: str | None) -> str | None:
    return value if value is not None and _SANE_REQUEST_ID.fullmatch(value) else None


def _completed(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> _RawHeaders:
    """The headers of an answer with those that every answer has."""
    own = [(name, value) for name, value in headers if name != _REQUEST_ID]
    names = {name for name, _ in own}
    own += (each for each in _STANDARD_HEADERS if each[0] not in names)
    own.append((_REQUEST_ID, request_id.encode()))
    return own


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or _UNMATCHED


def _unstorable_address(scope: Scope) -> ApiError | None:
    """No stored id and no stored text holds a NUL: such a path names nothing, such a query is wrong."""
    if "\x00" in scope["path"]:
        return NotFound()
    query: bytes = scope["query_string"]
    if b"%00" in query or b"\x00" in query:
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if "\x00" in name + value:
                field = name.replace("\x00", "")
                return InvalidRequest("must not hold NUL characters", field=field or None)
    return None
