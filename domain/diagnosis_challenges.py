"""Why credentials were not accepted: 401 and 407 (RFC 3261 22, RFC 8760)."""

from __future__ import annotations

import re
from typing import Final

from domain.diagnosis_model import Blame, Circumstances, DiagnosisCode, FailOver, Refusal, Row
from domain.replies import shown
from sip.call_facts import ChallengeFacts
from sip.dialog_state import Said

__all__ = ["challenge_row"]

_REALM: Final = re.compile(r'\brealm\s*+=\s*+"([^"\\]*+)"', re.IGNORECASE)

_REFUSED_CHECKLIST: Final = (
    "The password is wrong.",
    "The user name of the credentials is not the one in From, and the peer wants them the same.",
    "The peer keeps the credentials under another realm.",
    "The peer stored the password for another algorithm than the one that it offers.",
    "The peer accepts each nonce only once, and a proxy repeated the request.",
)


def challenge_row(row: Row, refusal: Refusal) -> Row:
    """The line for a 401 or 407 that ended the call."""
    around = refusal.around
    challenge = around.challenges[-1] if around.challenges else None
    why_not = challenge.why_not if challenge is not None else "no credentials"
    realm = _realm(refusal.said, challenge)
    match why_not:
        case "no credentials":
            return _required(realm)
        case "realm":
            return _other_realm(realm)
        case "algorithm":
            return _no_algorithm(challenge)
        case _:
            return _refused(realm, challenge, around)


def _realm(said: Said, challenge: ChallengeFacts | None) -> str:
    if challenge is not None and challenge.realm:
        return f' for realm "{shown(challenge.realm)}"'
    for name, value in said.details:
        if name.lower() in ("www-authenticate", "proxy-authenticate"):
            match = _REALM.search(value[:4096])
            if match:
                return f' for realm "{shown(match[1])}"'
    return ""


def _required(realm: str) -> Row:
    return Row(
        DiagnosisCode.AUTH_REQUIRED,
        f"It answered {{status}}: it asks for credentials{realm}, and the trunk has none.",
        (
            f"Enter the user name and the password that the peer has{realm}.",
            "Or have it accept our addresses without credentials.",
        ),
        FailOver.NO,
        Blame.CLIENT_ERROR,
    )


def _other_realm(realm: str) -> Row:
    return Row(
        DiagnosisCode.AUTH_REALM,
        f"It answered {{status}}: it asks for credentials{realm}, and those of the trunk are for "
        "another one.",
        ("Enter this realm in the trunk's settings, or leave the realm empty to accept any.",),
        FailOver.OPT_IN,
        Blame.CLIENT_ERROR,
    )


def _no_algorithm(challenge: ChallengeFacts | None) -> Row:
    offered = ", ".join(shown(each) for each in challenge.algorithms) if challenge else ""
    return Row(
        DiagnosisCode.AUTH_ALGORITHM,
        f"It answered {{status}}: it offers no digest algorithm that the trunk may use "
        f"({offered or 'none named'}).",
        (
            "Switch on SHA-256 at the peer.",
            "Or lower the weakest algorithm that the trunk accepts; MD5 can be broken.",
        ),
        FailOver.OPT_IN,
        Blame.PEER_CONFIG,
    )


def _refused(realm: str, challenge: ChallengeFacts | None, around: Circumstances) -> Row:
    used = next((each.answered for each in reversed(around.challenges) if each.answered), None)
    with_ = f" ({shown(used)})" if used else ""
    sender = f" From was {shown(around.from_uri)}." if around.from_uri else ""
    stale = (
        " It calls each nonce stale, which points to a proxy or a clock between."
        if challenge and challenge.stale
        else ""
    )
    return Row(
        DiagnosisCode.AUTH_FAILED,
        f"It answered {{status}} again after it was given credentials{realm}{with_}.{sender}{stale}",
        (
            "Check user name and password; copy them from the peer again.",
            "Set the user of From to the user name of the credentials.",
        ),
        FailOver.OPT_IN,
        Blame.CLIENT_ERROR,
        _REFUSED_CHECKLIST,
    )
