"""Turns whatever a route raised into an answer in the envelope."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.envelope import EnvelopeJson, error_response
from api.errors import ApiError, InvalidRequest, MethodNotAllowed, NotFound, Unavailable
from api.validation import refusal_of
from observability.logs import get_logger
from storage.errors import DatabaseUnavailable, UnsafeRole

__all__ = ["REFUSALS", "install_error_handlers", "refusal"]

_log = get_logger("trunkline.api")

REFUSALS = (ApiError, RequestValidationError, HTTPException, DatabaseUnavailable, UnsafeRole)
"""What a route may raise; everything else is a bug."""


def refusal(
    error: ApiError | RequestValidationError | HTTPException | DatabaseUnavailable | UnsafeRole,
) -> ApiError:
    """The refusal that ``error`` stands for."""
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            return refusal_of(error.errors(), error.body)
        case HTTPException():
            return _of_framework(error)
        case DatabaseUnavailable():
            _log.warning("the database is away", reason=str(error))
            return Unavailable("the database cannot be reached at the moment")
        case UnsafeRole():
            _log.critical("the database role is unsafe", reason=str(error))
            return Unavailable("the service is not set up safely; its operator has been told why")


def _of_framework(error: HTTPException) -> ApiError:
    """The framework's own refusals: no such path, no such method, a body that is not JSON."""
    if error.status_code == 404:
        return NotFound("no such path")
    if error.status_code == 405:
        return MethodNotAllowed(headers=error.headers)
    return InvalidRequest("the body is not valid JSON")


async def _answer(_request: Request, error: Any) -> EnvelopeJson:
    return error_response(refusal(error))


def install_error_handlers(app: FastAPI) -> None:
    """Answer every refusal in the envelope."""
    for kind in REFUSALS:
        app.add_exception_handler(kind, _answer)
