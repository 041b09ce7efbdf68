"""The peers that differ in how they signal a call: refusals, credentials, extensions, dialogs."""

from __future__ import annotations

import secrets
from datetime import timedelta

from lab.behaviour import Behaviour, DigestDemand
from lab.call_manner import CallManner, Refresh, Step
from lab.catalogue_entry import (
    DEMO_PASSWORD,
    DEMO_REALM,
    DEMO_USERNAME,
    TCP,
    UDP,
    CataloguePeer,
)
from lab.identities import KAMAILIO, LAB
from sip.digest import Algorithm

__all__ = ["CALL_PEERS"]

SOON = timedelta(seconds=0.1)
LATER = timedelta(seconds=0.3)
RINGING = (Step(100), Step(180, SOON))


def _q850(cause: int, text: str) -> tuple[tuple[str, str], ...]:
    return (("Reason", f'Q.850;cause={cause};text="{text}"'),)


def _behaviour(manner: CallManner) -> Behaviour:
    return Behaviour(ports=(UDP, TCP), identity=LAB, calls=manner)


def _rings_and(status: int, *fields: tuple[str, str]) -> Behaviour:
    return _behaviour(CallManner(script=(*RINGING, Step(status, LATER, header_fields=fields))))


def _asks(demand: DigestDemand) -> Behaviour:
    return Behaviour(ports=(UDP, TCP), identity=KAMAILIO, digest=demand)


_FAILURES = (
    CataloguePeer("busy", 30, "Rings and is busy: 486.", _rings_and(486, *_q850(17, "User busy"))),
    CataloguePeer(
        "no-answer",
        31,
        "Rings and nobody picks up; a CANCEL is answered as it should be.",
        _behaviour(CallManner(script=RINGING)),
    ),
    CataloguePeer(
        "declines", 32, "Rings and declines: 603.", _rings_and(603, *_q850(21, "Call rejected"))
    ),
    CataloguePeer(
        "ring-then-503",
        33,
        "Rings, and then there is no circuit: 503 with Retry-After: 30.",
        _rings_and(503, *_q850(34, "No circuit/channel available"), ("Retry-After", "30")),
    ),
    CataloguePeer(
        "drops-after-100",
        34,
        "Answers INVITE with 100 and nothing more, as a gateway whose downstream is gone.",
        _behaviour(CallManner(script=(Step(100),))),
    ),
    CataloguePeer(
        "moved",
        35,
        "Sends callers elsewhere: 302 with the Contact of another host.",
        _behaviour(
            CallManner(
                script=(
                    Step(100),
                    Step(302, header_fields=(("Contact", "<sip:elsewhere.lab.trunkline.test>"),)),
                )
            )
        ),
    ),
    CataloguePeer(
        "any-code",
        36,
        "Answers with the code that is dialled: 484 to sip:484@..., a call to all else.",
        _behaviour(CallManner(status_by_user=True)),
    ),
    CataloguePeer(
        "not-found",
        37,
        "Knows numbers without + only: 404 to the others.",
        _behaviour(CallManner(refuses_plus=True)),
    ),
    CataloguePeer(
        "identity-required",
        38,
        "Answers 403 until the caller asserts a number in P-Asserted-Identity.",
        _behaviour(CallManner(demands_identity=True)),
    ),
)

_AUTHENTICATION = (
    CataloguePeer(
        "auth-loop",
        39,
        "Answers 401 whatever the credentials: nobody knows the password.",
        _asks(DigestDemand(DEMO_REALM, DEMO_USERNAME, secrets.token_urlsafe())),
    ),
    CataloguePeer(
        "proxy-challenge",
        40,
        "A proxy that asks for the demo account by 407, MD5 alone, in the BYE of a call too.",
        _asks(
            DigestDemand(
                DEMO_REALM,
                DEMO_USERNAME,
                DEMO_PASSWORD,
                algorithms=(Algorithm.MD5,),
                proxy=True,
                within_calls=True,
            )
        ),
    ),
    CataloguePeer(
        "stale-nonces",
        41,
        "Calls every nonce stale, so that the demo account gets in never.",
        _asks(
            DigestDemand(
                DEMO_REALM,
                DEMO_USERNAME,
                DEMO_PASSWORD,
                # Too old the moment it is made, whatever the resolution of the clock.
                nonce_lifetime=timedelta(milliseconds=-1),
            )
        ),
    ),
)

_EXTENSIONS = (
    CataloguePeer(
        "bad-extension",
        42,
        "Takes Supported for Require: 420 to a caller that supports 100rel.",
        _behaviour(CallManner(refuses_extension="100rel")),
    ),
    CataloguePeer(
        "requires-extension",
        43,
        "Answers 421: it wants preconditions, which the caller does not support.",
        _behaviour(CallManner(demands_extension="precondition")),
    ),
    CataloguePeer(
        "session-interval",
        44,
        "Answers 422 with Min-SE: 1800, and accepts the INVITE that asks for it.",
        _behaviour(CallManner(min_se=1800)),
    ),
    CataloguePeer(
        "session-timers",
        45,
        "Answers with Session-Expires and refreshes, by UPDATE and by re-INVITE.",
        _behaviour(CallManner(session_expires=90, refreshes=(Refresh.UPDATE, Refresh.INVITE))),
    ),
    CataloguePeer(
        "early-media",
        46,
        "Plays early media: a reliable 183 with SDP, a PRACK for it, then 200 without SDP.",
        _behaviour(
            CallManner(
                script=(Step(100), Step(183, SOON, media=True, reliable=True), Step(200, LATER))
            )
        ),
    ),
)

_DIALOGS = (
    CataloguePeer(
        "fork",
        47,
        "A proxy with two telephones that are picked up at once: two 200 with tags of their own.",
        _behaviour(
            CallManner(
                script=(
                    *RINGING,
                    Step(180, phone=2),
                    Step(200, LATER),
                    Step(200, timedelta(seconds=0.05), phone=2),
                )
            )
        ),
    ),
    CataloguePeer(
        "late-200",
        48,
        "Rings; a CANCEL comes too late, the telephone is picked up: 200 in the place of 487.",
        _behaviour(CallManner(script=RINGING, answers_cancel=True)),
    ),
    CataloguePeer(
        "never-sees-ack",
        49,
        "Never gets the ACK: repeats its 200 for 32 seconds and hangs up.",
        _behaviour(CallManner(ignores_ack=True)),
    ),
    CataloguePeer(
        "bye-at-once",
        50,
        "Answers and hangs up in the same moment.",
        _behaviour(CallManner(hangs_up_after=timedelta(0))),
    ),
    CataloguePeer(
        "hangs-up-after-5s",
        51,
        "Answers and hangs up after five seconds.",
        _behaviour(CallManner(hangs_up_after=timedelta(seconds=5))),
    ),
    CataloguePeer(
        "ignores-bye",
        52,
        "Never answers a BYE.",
        _behaviour(CallManner(ignores_bye=True)),
    ),
    CataloguePeer(
        "reinvites",
        53,
        "Sends re-INVITEs with a new offer while the call is up.",
        _behaviour(CallManner(refreshes=(Refresh.INVITE, Refresh.INVITE))),
    ),
)

CALL_PEERS = (*_FAILURES, *_AUTHENTICATION, *_EXTENSIONS, *_DIALOGS)
