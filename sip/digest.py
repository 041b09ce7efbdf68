"""Answering digest challenges (RFC 3261 section 22, RFC 7616, RFC 8760).

Of several challenges for one realm the strongest is answered, whatever their order: RFC 8760
section 2.4 lets local policy replace its topmost-first rule, and a list is easily reordered on the
way. Passwords are arguments and are kept by nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sip.digest_algorithms import (
    Algorithm,
    AlgorithmUnavailable,
    ChallengeTooWeak,
    ChallengeUnsupported,
    DigestError,
    request_digest,
    user_hash,
)
from sip.digest_fields import Challenge, DigestCredentials, parse_challenges
from sip.digest_server import NonceBook, Protection, Verdict, verify
from sip.errors import RemoteProtocolError
from sip.message import Request, Response

__all__ = [
    "Algorithm",
    "AlgorithmUnavailable",
    "Challenge",
    "ChallengeTooWeak",
    "ChallengeUnsupported",
    "DigestCredentials",
    "DigestError",
    "NonceBook",
    "Protection",
    "Verdict",
    "answer_challenge",
    "answer_challenges",
    "authorization_headers",
    "challenges_of",
    "choose_challenge",
    "parse_challenges",
    "request_digest",
    "verify",
]

# RFC 3261 sections 22.2 and 22.3: the challenge and the header field that answers it. Either may
# stand in a 401 as well as in a 407 when a proxy gathered them from a fork.
ANSWERED_BY: Final = {
    "WWW-Authenticate": "Authorization",
    "Proxy-Authenticate": "Proxy-Authorization",
}


def choose_challenge(
    challenges: Sequence[Challenge], *, minimum: Algorithm | None = None
) -> Challenge:
    """Return the strongest challenge that can be answered; of equals the first.

    Raises ChallengeUnsupported, ChallengeTooWeak when all that is understood is below `minimum`, and
    AlgorithmUnavailable when the rest needs what OpenSSL lacks.
    """
    offered = tuple(challenge.offer for challenge in challenges)
    known = [
        (challenge.algorithm, challenge)
        for challenge in challenges
        if challenge.algorithm is not None and _understands_qop(challenge)
    ]
    if not known:
        raise ChallengeUnsupported(offered)
    strong = [
        (algorithm, challenge)
        for algorithm, challenge in known
        if minimum is None or algorithm.strength >= minimum.strength
    ]
    if minimum is not None and not strong:
        raise ChallengeTooWeak(offered, minimum)
    strong.sort(key=lambda pair: pair[0].strength, reverse=True)
    for algorithm, challenge in strong:
        if algorithm.is_available:
            return challenge
    raise AlgorithmUnavailable(strong[0][0])


def _understands_qop(challenge: Challenge) -> bool:
    return not challenge.qop or "auth" in challenge.qop or "auth-int" in challenge.qop


def answer_challenge(
    challenge: Challenge,
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    cnonce: str,
    nc: int = 1,
    body: bytes = b"",
) -> DigestCredentials:
    """Return the credentials for one challenge.

    `uri` is the Request-URI as it stands in the request. `nc` counts the requests that answer this
    nonce, from 1; with a `-sess` algorithm they share one `cnonce`. `auth` is taken before
    `auth-int`, since elements on the way may rewrite a body.
    Raises ChallengeUnsupported and AlgorithmUnavailable.
    """
    algorithm = challenge.algorithm
    if algorithm is None or not _understands_qop(challenge):
        raise ChallengeUnsupported((challenge.offer,))
    qop = None
    if challenge.qop:
        qop = "auth" if "auth" in challenge.qop else "auth-int"
    response = request_digest(
        algorithm,
        username=username,
        realm=challenge.realm,
        password=password,
        nonce=challenge.nonce,
        method=method,
        uri=uri,
        qop=qop,
        nc=nc,
        cnonce=cnonce,
        body=body,
    )
    return DigestCredentials(
        username=user_hash(algorithm, username, challenge.realm)
        if challenge.userhash
        else username,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response=response,
        algorithm_name=challenge.algorithm_name,
        qop=qop,
        nc=None if qop is None else nc,
        # RFC 7616 section 3.4 sends it with qop only, but nobody can check a -sess without it.
        cnonce=None if qop is None and not algorithm.is_session else cnonce,
        opaque=challenge.opaque,
        userhash=challenge.userhash,
    )


def answer_challenges(
    challenges: Sequence[Challenge],
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    cnonce: str,
    nc: int = 1,
    body: bytes = b"",
    minimum: Algorithm | None = None,
) -> str:
    """Return the header value that answers the best of one realm's challenges.

    Raises as `choose_challenge` does, and LocalProtocolError for a line break in a name.
    """
    credentials = answer_challenge(
        choose_challenge(challenges, minimum=minimum),
        username=username,
        password=password,
        method=method,
        uri=uri,
        cnonce=cnonce,
        nc=nc,
        body=body,
    )
    return str(credentials)


def challenges_of(response: Response) -> dict[str, tuple[Challenge, ...]]:
    """Return all challenges in a 401 or 407 by the name of their header field, in order.

    Raises RemoteProtocolError, naming the header field, when one is malformed.
    """
    return {
        name: found
        for name in ANSWERED_BY
        if (found := _parsed(name, response.headers.get_all(name)))
    }


def _parsed(name: str, values: Iterable[str]) -> tuple[Challenge, ...]:
    try:
        return tuple(challenge for value in values for challenge in parse_challenges(value))
    except RemoteProtocolError as error:
        raise RemoteProtocolError(error.message, header=name) from error


def authorization_headers(
    response: Response,
    request: Request,
    *,
    username: str,
    password: str,
    cnonce: str,
    nc: int = 1,
    minimum: Algorithm | None = None,
) -> tuple[tuple[str, str], ...]:
    """Return the header fields, name and value, that the next attempt of `request` carries.

    One for each realm that can be answered, of servers and of proxies (RFC 3261 section 22.3). Empty
    when nothing challenged. Raises as `answer_challenges` does when no realm can be answered, and
    RemoteProtocolError for a malformed challenge.
    """
    headers: list[tuple[str, str]] = []
    refused: list[Challenge] = []
    for name, challenges in challenges_of(response).items():
        by_realm: dict[str, list[Challenge]] = {}
        for challenge in challenges:
            by_realm.setdefault(challenge.realm, []).append(challenge)
        for group in by_realm.values():
            try:
                chosen = choose_challenge(group, minimum=minimum)
            except DigestError:
                refused += group
                continue
            credentials = answer_challenge(
                chosen,
                username=username,
                password=password,
                method=request.method,
                uri=str(request.uri),
                cnonce=cnonce,
                nc=nc,
                body=request.body,
            )
            headers.append((ANSWERED_BY[name], str(credentials)))
    if refused and not headers:
        choose_challenge(refused, minimum=minimum)
    return tuple(headers)
