"""Refusals that are about who calls and whom: 403, 404, 484 and 604."""

from __future__ import annotations

from typing import Final

from domain.diagnosis_model import Refusal, Row
from domain.replies import shown

__all__ = ["forbidden", "incomplete", "not_found"]

# Causes of a 403, most frequent first: words of the peer that point to it, cause, change.
_FORBIDDEN: Final = (
    (
        ("acl", "ip", "source", "whitelist*", "allowlist*", "allow list"),
        "Our addresses are not on its allow-list.",
        "Add our addresses to the allow-list of the peer.",
    ),
    (
        ("caller*", "cli", "ani", "from", "number not", "unverified", "not verified", "spoof*"),
        "The caller number is not one that the account owns or has verified.",
        "Call from a number of the account, or assert one in P-Preferred-Identity.",
    ),
    (
        ("account*", "user*", "domain"),
        "From must name the account.",
        "Set the user of From to the user name of the credentials.",
    ),
    (
        ("destination*", "country", "international", "geo*", "permission*", "route", "barred"),
        "The country or the kind of number is blocked for the account.",
        "Have the provider open this destination for the account.",
    ),
)
_WRONG_PASSWORD: Final = (
    ("auth*", "password", "credential*", "digest"),
    "The user name or the password is wrong: some systems answer 403 instead of another challenge.",
    "Check user name and password; copy them from the peer again.",
)


def forbidden(row: Row, refusal: Refusal) -> Row:
    causes = list(_FORBIDDEN)
    if refusal.method == "REGISTER":
        causes = [_WRONG_PASSWORD, _FORBIDDEN[0], _FORBIDDEN[2]]
    elif refusal.around.challenges:
        causes.insert(1, _WRONG_PASSWORD)
    causes.sort(key=lambda cause: not refusal.clues.mention(*cause[0]))
    what = (
        "it refuses this registration" if refusal.method == "REGISTER" else "it refuses this call"
    )
    return row._replace(
        what=f"It answered {{status}}: {what}.",
        change=tuple(change for _, _, change in causes),
        checklist=tuple(cause for _, cause, _ in causes),
    )


def not_found(row: Row, refusal: Refusal) -> Row:
    called = shown(refusal.around.request_uri) if refusal.around.request_uri else ""
    asked = f" {called}" if called else ""
    return row._replace(
        what=f"It answered {{status}}: it does not know the number{asked}.",
        change=(
            _other_format(called),
            "Give the number to this trunk at the peer.",
            "Enter the domain that the peer expects as the destination.",
        ),
        checklist=(
            "The number is written in another way at the peer: with or without +, national, or "
            "behind a prefix.",
            "The number is not on this trunk, or has no route there.",
            "The domain in the request's address is not one of the peer's.",
        ),
    )


def incomplete(row: Row, refusal: Refusal) -> Row:
    called = shown(refusal.around.request_uri) if refusal.around.request_uri else ""
    return row._replace(
        change=(_other_format(called), "Call the full number, with country code."),
        checklist=(
            "The number is written in another way at the peer.",
            "Digits are missing, or the peer waits for more (overlap dialling).",
        ),
    )


def _other_format(called: str) -> str:
    if called.startswith(("sip:+", "sips:+")):
        return "Write numbers without + (number format e164)."
    return "Write numbers in E.164 with + and country code (number format +e164)."
