"""``Idempotency-Key``: the same mutation sent twice happens once and is answered twice.

A key belongs to an organization and is kept for 24 hours with the answer, sealed, because an answer may show
a secret once. Answers that ask to come again (500 and up, or with ``Retry-After``) are not kept. Neither is
412: nothing was done, and what is repeated with a newer ``If-Match``, which is no part of what a key stands
for, is to be judged by that one. After a success the key answers for that, whichever tag comes along.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.changes import Change
from api.errors import Conflict, IdempotencyInProgress, IdempotencyKeyReused, InvalidRequest
from api.state import ApiState
from observability.logs import get_logger
from storage import idempotency
from storage.secret_box import SecretBoxError

__all__ = ["KEY_HEADER", "REPLAYED_HEADER", "Attempt", "begin"]

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"

_log = get_logger("trunkline.api")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_PURPOSE = "idempotent_answer"
# They belong to one exchange of messages, not to the answer.
_OF_THE_EXCHANGE = frozenset({"content-length", "connection", "date"})


class Attempt:
    """A request that holds its key and is being carried out."""

    def __init__(self, state: ApiState, claimed: idempotency.Claimed) -> None:
        self._state = state
        self._claimed = claimed
        self._org_id = claimed.request.org_id

    async def keep(self, response: Response, change: Change | None = None) -> None:
        """Keep the answer, in the transaction of the change when there is one.

        An answer that asks to come again, a failed precondition, or one that is streamed, is not kept;
        the key is free again.
        """
        body = getattr(response, "body", None)
        status = response.status_code
        again = status >= 500 or status == HTTPStatus.PRECONDITION_FAILED
        if again or "retry-after" in response.headers or body is None:
            await self.release()
            return
        if change is not None and change.session is not None:
            await self._finish(change.session, response, bytes(body))
            return
        async with self._state.database.tenant(self._org_id) as session:
            await self._finish(session, response, bytes(body))

    async def _finish(self, session: AsyncSession, response: Response, body: bytes) -> None:
        headers = {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in _OF_THE_EXCHANGE
        }
        sealed = self._state.secret_box.seal(body, purpose=_PURPOSE, org_id=self._org_id)
        await idempotency.finish(
            session,
            self._claimed,
            status=response.status_code,
            headers=headers,
            response_sealed=sealed,
        )

    async def release(self) -> None:
        """Free the key: nothing happened that a repetition would do twice."""
        async with self._state.database.tenant(self._org_id) as session:
            await idempotency.release(session, self._claimed)


async def begin(
    request: Request, principal: Principal, state: ApiState
) -> Attempt | Response | None:
    """``None`` without a key, the kept answer when there is one, else the attempt that holds the key.

    Raises ``InvalidRequest`` for a malformed key, ``IdempotencyKeyReused``, ``IdempotencyInProgress``.
    """
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        raise InvalidRequest(
            f"{KEY_HEADER}: must be one value of 1 to 255 printable ASCII characters",
            field=KEY_HEADER,
        )
    wanted = idempotency.Claim(
        org_id=principal.org_id,
        key=given[0],
        method=request.method,
        path=request.scope["path"],
        request_hash=_hash_of(request.scope["query_string"], await request.body()),
    )
    async with state.database.tenant(principal.org_id) as session:
        outcome = await idempotency.claim(session, wanted, now=datetime.now(UTC))
    match outcome:
        case idempotency.Claimed():
            return Attempt(state, outcome)
        case idempotency.Replay():
            return _replayed(state, principal.org_id, outcome)
        case idempotency.InProgress():
            raise IdempotencyInProgress
        case idempotency.KeyReused():
            raise IdempotencyKeyReused


def _hash_of(query: bytes, body: bytes) -> bytes:
    return hashlib.sha256(len(query).to_bytes(8, "big") + query + body).digest()


def _replayed(state: ApiState, org_id: str, kept: idempotency.Replay) -> Response:
    try:
        body = state.secret_box.open(kept.response_sealed, purpose=_PURPOSE, org_id=org_id)
    except SecretBoxError as error:
        _log.error("a kept answer does not open", reason=str(error))
        raise Conflict(
            "the request was carried out; its answer can no longer be shown",
            code="IDEMPOTENT_ANSWER_LOST",
        ) from error
    headers = {name: str(value) for name, value in kept.headers.items()}
    return Response(body, kept.status, headers={**headers, REPLAYED_HEADER: "true"})
