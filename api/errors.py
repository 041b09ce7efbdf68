"""Every refusal of the API.

One root, one handler (:mod:`api.error_handlers`); a route raises, it never builds an error answer::

    ApiError
    ├── InvalidRequest          400  INVALID_REQUEST, or a contract's own code
    ├── BodyTooLarge            413  INVALID_REQUEST
    ├── FileTooLarge            413  FILE_TOO_LARGE
    ├── AuthFailure             401  AUTH_FAILURE
    ├── Forbidden               403  FORBIDDEN
    │   └── SipNotEnabled       403  SIP_NOT_ENABLED
    ├── NotFound                404  NOT_FOUND
    ├── MethodNotAllowed        405  METHOD_NOT_ALLOWED
    ├── Conflict                409  its own code
    │   ├── IdempotencyKeyReused     IDEMPOTENCY_KEY_REUSED
    │   └── IdempotencyInProgress    IDEMPOTENCY_IN_PROGRESS
    ├── PreconditionFailed      412  PRECONDITION_FAILED
    ├── RateLimited             429  RATE_LIMITED
    ├── InternalError           500  INTERNAL_ERROR
    └── Unavailable             503  UNAVAILABLE

The shape is contract section 1: ``{"error": CODE, "message": text}``; ``field`` names what to correct, and an
error may carry facts of its own beside them (the id of the discovery that is already running).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import ClassVar

__all__ = [
    "ApiError",
    "AuthFailure",
    "BodyTooLarge",
    "Conflict",
    "ErrorItem",
    "FileTooLarge",
    "Forbidden",
    "IdempotencyInProgress",
    "IdempotencyKeyReused",
    "InternalError",
    "InvalidRequest",
    "MethodNotAllowed",
    "NotFound",
    "PreconditionFailed",
    "RateLimited",
    "SipNotEnabled",
    "Unavailable",
]


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorItem:
    """One entry of ``errors``."""

    error: str
    message: str
    field: str | None = None
    facts: Mapping[str, str | int] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The entry as it goes on the wire; ``field`` only when there is one."""
        named = {} if self.field is None else {"field": self.field}
        return {"error": self.error, "message": self.message, **named, **self.facts}


class ApiError(Exception):
    """A refusal with its HTTP status, its entries and its headers. Raise a subclass."""

    status: ClassVar[int]
    code: ClassVar[str]
    default_message: ClassVar[str]

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str | None = None,
        code: str | None = None,
        facts: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        item = ErrorItem(code or self.code, message or self.default_message, field, facts or {})
        super().__init__(item.message)
        self.items: tuple[ErrorItem, ...] = (item,)
        self.headers: dict[str, str] = dict(headers or {})


class InvalidRequest(ApiError):
    """The request breaks the schema or a rule of its route."""

    status = 400
    code = "INVALID_REQUEST"
    default_message = "the request is not valid"

    @classmethod
    def of(cls, items: Sequence[ErrorItem]) -> InvalidRequest:
        """One refusal with an entry for each field."""
        error = cls()
        error.items = tuple(items) or error.items
        return error


class BodyTooLarge(ApiError):
    """The body is larger than the API accepts. The connection ends, because the rest is not read."""

    status = 413
    code = "INVALID_REQUEST"
    default_message = "the request body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the request body is larger than {limit} bytes", headers={"Connection": "close"}
        )


class FileTooLarge(ApiError):
    """An uploaded file is larger than is taken. The connection ends, because the rest is not read."""

    status = 413
    code = "FILE_TOO_LARGE"
    default_message = "the file is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the file is larger than {limit // 1_000_000} MB; scan it at a lower resolution, or split it",
            field="file",
            headers={"Connection": "close"},
        )


class AuthFailure(ApiError):
    """No key, an unknown one, a revoked one or an expired one: the answer is the same."""

    status = 401
    code = "AUTH_FAILURE"
    default_message = "Unauthorized"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="trunkline"'})


class Forbidden(ApiError):
    """The key is good and its role is too low."""

    status = 403
    code = "FORBIDDEN"
    default_message = "this API key's role does not allow that"


class SipNotEnabled(Forbidden):
    """The organization lacks the SIP entitlement (contract section 1)."""

    code = "SIP_NOT_ENABLED"
    default_message = "SIP is not enabled for this organization"


class NotFound(ApiError):
    """Unknown, or another organization's: the answer is the same."""

    status = 404
    code = "NOT_FOUND"
    default_message = "not found"


class MethodNotAllowed(ApiError):
    """The path exists, the method on it does not."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    default_message = "this path does not answer that method"


class Conflict(ApiError):
    """The request is good and the present state refuses it. Always raised with a code of its own."""

    status = 409
    code = "CONFLICT"
    default_message = "the request conflicts with the present state"


class IdempotencyKeyReused(Conflict):
    """The same Idempotency-Key came with a different request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    default_message = "this Idempotency-Key was used for a different request"


class IdempotencyInProgress(Conflict):
    """The first request with this Idempotency-Key has not been answered yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    default_message = "a request with this Idempotency-Key is in progress"

    def __init__(self, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(headers=_retry_after(retry_after))


class PreconditionFailed(ApiError):
    """Somebody else changed it since the caller read it (RFC 9110 section 13.1.1)."""

    status = 412
    code = "PRECONDITION_FAILED"
    default_message = (
        "it was changed since; read it again, and repeat your change on what it is now"
    )


class RateLimited(ApiError):
    """Too many of these; ``Retry-After`` says when the next one is accepted."""

    status = 429
    code = "RATE_LIMITED"
    default_message = "too many requests"

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: timedelta,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, headers={**(headers or {}), **_retry_after(retry_after)})


class InternalError(ApiError):
    """A bug. Names the request and nothing else."""

    status = 500
    code = "INTERNAL_ERROR"
    default_message = "something went wrong on our side; quote the request id when you report it"

    def __init__(self, request_id: str) -> None:
        super().__init__(facts={"request_id": request_id})


class Unavailable(ApiError):
    """Something that the request needs is away; the same request may be sent again."""

    status = 503
    code = "UNAVAILABLE"
    default_message = "the service cannot do that at the moment"

    def __init__(
        self, message: str | None = None, *, retry_after: timedelta = timedelta(seconds=5)
    ) -> None:
        super().__init__(message, headers=_retry_after(retry_after))


def _retry_after(delay: timedelta) -> dict[str, str]:
    """Whole seconds, at least one (RFC 9110 section 10.2.3)."""
    return {"Retry-After": str(max(1, ceil(delay.total_seconds())))}
