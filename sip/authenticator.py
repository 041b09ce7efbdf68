"""Answering the digest challenges to one request and its repetitions (RFC 3261 section 22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sip.digest import (
    Algorithm,
    DigestError,
    authorization_headers,
    challenges_of,
    parse_challenges,
)
from sip.errors import RemoteProtocolError
from sip.message import Request, Response

__all__ = ["Authenticator", "Credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password for digest.

    Nothing weaker than `minimum` is answered, and, when `realm` is given, no other realm.
    """

    username: str
    password: str = field(repr=False)
    minimum: Algorithm | None = None
    realm: str | None = None


class Authenticator:
    """Answers the challenges to one request and its repetitions (RFC 3261 section 22).

    Each realm is answered once, and once more when it calls the nonce stale: a second refusal means
    wrong credentials. What a proxy was answered is repeated, with its count raised, when the
    server behind it asks as well.
    """

    def __init__(self, credentials: Credentials | None, new_cnonce: Callable[[], str]) -> None:
        self._credentials = credentials
        self._new_cnonce = new_cnonce
        self._answered: dict[tuple[str, str], bool] = {}
        self._challenges: list[tuple[Response, int]] = []

    def answer(self, request: Request, response: Response) -> tuple[tuple[str, str], ...]:
        """Return the credentials for the next attempt; empty when there is no use in one."""
        if self._credentials is None:
            return ()
        try:
            if self._credentials.realm is not None:
                response = _of_realm(response, self._credentials.realm)
            keys = self._acceptable(response)
            if not keys:
                return ()
            kept = [
                (old, uses + 1)
                for old, uses in self._challenges
                if keys.isdisjoint(_realms_of(old))
            ]
            self._challenges = [*kept, (response, 1)]
            return tuple(
                header
                for challenged, uses in self._challenges
                for header in authorization_headers(
                    challenged,
                    request,
                    username=self._credentials.username,
                    password=self._credentials.password,
                    cnonce=self._new_cnonce(),
                    nc=uses,
                    minimum=self._credentials.minimum,
                )
            )
        except (DigestError, RemoteProtocolError):
            return ()

    def _acceptable(self, response: Response) -> set[tuple[str, str]]:
        """Note the realms that challenge; empty when one of them refused its answer."""
        realms = _realms_of(response)
        for key, stale in realms.items():
            if key in self._answered and (self._answered[key] or not stale):
                return set()
        for key in realms:
            self._answered[key] = key in self._answered
        return set(realms)


def _of_realm(response: Response, realm: str) -> Response:
    """Return the response without the challenges of other realms."""
    headers = response.headers
    for name in challenges_of(response):
        values = headers.get_all(name)
        headers = headers.without(name)
        for value in values:
            # A field with challenges of two realms goes as a whole: no answer, no leak.
            if all(challenge.realm == realm for challenge in parse_challenges(value)):
                headers = headers.with_added(name, value)
    return replace(response, headers=headers)


def _realms_of(response: Response) -> dict[tuple[str, str], bool]:
    """Return who challenges, by header field and realm, and whether for a stale nonce."""
    realms: dict[tuple[str, str], bool] = {}
    for name, challenges in challenges_of(response).items():
        for challenge in challenges:
            key = name, challenge.realm
            realms[key] = realms.get(key, False) or challenge.stale
    return realms
