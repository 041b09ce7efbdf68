"""Why the transport of a call failed, from what the transport reported: ``errno:111``, ``tls:X``,
``closed``, ``reset`` or words.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Final

from domain.replies import shown
from sip.call_facts import InviteFacts, TargetFacts, TargetOutcome
from sip.dialog_state import FailureCause

__all__ = ["failure_words", "refused_handshake", "tls_alert_of"]

_WORDS: Final = {"closed": "the peer closed it", "reset": "the peer reset it"}

_ERRNO_WORDS: Final = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.ECONNRESET: "the peer reset it",
    errno.EPIPE: "the peer closed it",
    errno.ETIMEDOUT: "it timed out",
    errno.EMSGSIZE: "the message was too large",
}


def failure_words(reason: str | None) -> str:
    """The reason in words; may be empty."""
    kind, _, rest = (reason or "").partition(":")
    if kind == "errno" and rest.isascii() and rest.isdigit() and len(rest) < 6:
        return _ERRNO_WORDS.get(int(rest), f"system error {rest}")
    if kind == "tls":
        return f"TLS: {_alert_words(rest)}"
    return _WORDS.get(reason or "", shown(reason or ""))


def tls_alert_of(invite: InviteFacts) -> str | None:
    """The TLS alert that came instead of any reply.

    Since TLS 1.3 a server refuses the client's certificate only when the client believes that the
    handshake is through (RFC 8446 section 4.4.2.4), and then the INVITE is on its way already.
    """
    kind, _, rest = (invite.failure_reason or "").partition(":")
    heard = invite.provisionals or invite.challenges or invite.final
    if invite.failure is not FailureCause.TRANSPORT or kind != "tls" or heard:
        return None
    return _alert_words(rest)


def refused_handshake(target: TargetFacts, alert: str) -> TargetFacts:
    """The target of a call whose TLS handshake was refused behind the client's back."""
    wanted = "certificate required" in alert
    outcome = TargetOutcome.TLS_CLIENT_CERTIFICATE if wanted else TargetOutcome.TLS_FAILED
    return replace(target, outcome=outcome, detail=alert)


def _alert_words(name: str) -> str:
    """OpenSSL's name of a reason, such as ``TLSV13_ALERT_CERTIFICATE_REQUIRED``, in words."""
    return shown(name.replace("_", " ").lower())
