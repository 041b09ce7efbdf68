"""Digest authentication of a peer's requests (RFC 3261 section 22)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from lab.behaviour import DigestDemand, HeaderFields
from sip.digest import DigestCredentials, NonceBook, Protection, Verdict, verify
from sip.errors import RemoteProtocolError
from sip.message import Request

__all__ = ["DigestGate"]


class DigestGate:
    """Admits requests that carry the account's credentials. ``clock`` gives seconds."""

    def __init__(self, demand: DigestDemand, clock: Callable[[], float] = time.monotonic) -> None:
        self._demand = demand
        self._protection = Protection(demand.realm, demand.algorithms)
        self._nonces = NonceBook(secrets.token_bytes(32), lifetime=demand.nonce_lifetime)
        self._clock = clock
        self.status = 407 if demand.proxy else 401
        """The response that carries the challenge."""
        self._asking = "Proxy-Authenticate" if demand.proxy else "WWW-Authenticate"
        self._answering = "Proxy-Authorization" if demand.proxy else "Authorization"

    def challenge(self, request: Request) -> HeaderFields | None:
        """The header fields of the challenge to a request; ``None`` when it is admitted."""
        now = self._clock()
        verdicts = [
            self._verdict(value, request, now) for value in request.headers.get_all(self._answering)
        ]
        if Verdict.ACCEPTED in verdicts:
            return None
        stale = Verdict.STALE in verdicts or Verdict.REPLAYED in verdicts
        challenges = self._protection.challenges(self._nonces.issue(now), stale=stale)
        return tuple((self._asking, str(challenge)) for challenge in challenges)

    def _verdict(self, value: str, request: Request, now: float) -> Verdict:
        try:
            credentials = DigestCredentials.parse(value)
        except RemoteProtocolError:
            return Verdict.REJECTED
        return verify(
            credentials,
            self._protection,
            self._nonces,
            username=self._demand.username,
            password=self._demand.password,
            method=request.method,
            uri=str(request.uri),
            now=now,
            body=request.body,
        )
