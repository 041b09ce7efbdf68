"""Why a setting is recommended, and what its owner should know, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from domain.attempt_explanations import explain_attempt
from domain.attempts import AttemptCause, AttemptOutcome, TlsFacts
from domain.replies import ReplyGrade
from sip.transports import Transport

__all__ = ["reason_for", "warnings_for"]

EXPIRES_SOON: Final = timedelta(days=30)  # authorities that renew at all renew before that
MAX_TLS_HINTS = 3

_TLS_OBSTACLES = frozenset(
    {
        AttemptCause.TLS_OLD_VERSION,
        AttemptCause.TLS_UNTRUSTED,
        AttemptCause.TLS_NAME_MISMATCH,
        AttemptCause.TLS_CLIENT_CERTIFICATE,
        AttemptCause.TLS_FAILED,
    }
)


def reason_for(best: AttemptOutcome, ranked: Sequence[AttemptOutcome]) -> str:
    """Why ``best`` stands first among the answered attempts."""
    status = f"{best.reply.status} {best.reply.reason}".strip() if best.reply else "SIP"
    sentences = [f"{best.where} answers {status}.", _about_transport(best, ranked)]
    if best.source.announced:
        sentences.append(f"The SRV records of {best.host} name it.")
    if len(ranked) > 1:
        sentences.append(f"It is the best of {len(ranked)} settings that answered.")
    return " ".join(sentences)


def _about_transport(best: AttemptOutcome, ranked: Sequence[AttemptOutcome]) -> str:
    if best.transport is Transport.TLS:
        if best.tls is not None and best.tls.verifies:
            return f"TLS keeps the signalling secret, and the certificate verifies for {best.host}."
        return "TLS keeps the signalling secret, although the certificate does not verify."
    secret = next((a for a in ranked if a.transport is Transport.TLS), None)
    if secret is not None and secret.reply is not None:
        return f"{secret.where} answers too, but with {secret.reply.status}, which is worse."
    if best.transport is Transport.TCP:
        return "No TLS port answers; TCP carries messages of any size, unlike UDP."
    if any(attempt.transport is Transport.TCP for attempt in ranked):
        return "No TLS port answers, and TCP answers worse."
    return "Neither TLS nor TCP answers."


def warnings_for(best: AttemptOutcome, attempts: Iterable[AttemptOutcome]) -> tuple[str, ...]:
    """What speaks against the recommended setting, or must be done before calls work."""
    warnings: list[str] = []
    if not best.transport.encrypted:
        warnings.append(
            f"Over {best.transport.upper()} the signalling is not encrypted: whoever is on the path "
            "reads the phone numbers and the keys of encrypted media."
        )
    if best.tls is not None:
        warnings += _about_certificate(best.tls, best)
    if best.grade is not ReplyGrade.ACCEPTED:
        warnings.append(str(explain_attempt(best)))
    if best.replied_from is not None:
        warnings.append(
            f"The reply came from {best.replied_from}, not from {best.address}: firewalls and NAT "
            "drop such replies."
        )
    if best.tls is None or not best.tls.verifies:
        warnings += _about_tls_obstacles(attempts)
    return tuple(dict.fromkeys(warnings))


def _about_certificate(tls: TlsFacts, best: AttemptOutcome) -> list[str]:
    warnings = []
    if not tls.verifies:
        problem = f": {tls.problem}" if tls.problem else ""
        warnings.append(
            f"The certificate does not verify{problem}. Calls are encrypted, but nothing proves to "
            "whom."
        )
    expires = tls.expires_at
    if expires is not None and best.ended_at is not None and tls.verifies:
        left = expires - best.ended_at
        if left <= EXPIRES_SOON:
            warnings.append(
                f"The certificate expires on {expires:%Y-%m-%d}, in {max(left.days, 0)} days."
            )
    warnings += [f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in tls.notes if note]
    return warnings


def _about_tls_obstacles(attempts: Iterable[AttemptOutcome]) -> list[str]:
    """What to mend so that TLS could be used, once per cause and port."""
    seen: dict[tuple[int, AttemptCause], str] = {}
    obstacles = (a for a in attempts if a.cause in _TLS_OBSTACLES)
    for attempt in sorted(obstacles, key=lambda a: (a.port, a.cause, a.model_dump_json())):
        seen.setdefault((attempt.port, attempt.cause), str(explain_attempt(attempt)))
    return list(seen.values())[:MAX_TLS_HINTS]
