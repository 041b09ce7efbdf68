"""The evidence of an electronic signature: events that are chained by their hashes.

Sources: ESIGN (15 U.S.C. 7001(c)) for the disclosure and the consent, 47 CFR 64.1130(i) for letters
of authorization that are signed electronically. Each event's hash covers its content and the hash
before it, so an event that is changed, left out, added or moved shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

__all__ = ["GENESIS", "SignatureAction", "TrailEntry", "TrailEvent", "append", "first_break"]

GENESIS: Final = "0" * 64
"""What stands before the first entry."""


class SignatureAction(StrEnum):
    """What somebody, or we, did on the way to a signature."""

    LINK_SENT = "link_sent"
    LINK_OPENED = "link_opened"
    DISCLOSURE_SHOWN = "disclosure_shown"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DOCUMENT_VIEWED = "document_viewed"
    SIGNED = "signed"
    DECLINED = "declined"
    COPY_DELIVERED = "copy_delivered"
    DOWNLOADED = "downloaded"
    REMINDER_SENT = "reminder_sent"


class TrailEvent(BaseModel):
    """One thing that happened.

    ``actor`` is a name or ``system``, ``ip`` and ``user_agent`` are as the request had them.
    ``document_before`` and ``document_after`` are SHA-256 in hex of the letter before and after a
    signature, ``disclosure_sha256`` that of the text which was shown. ``note`` is what belongs to
    the action, such as the typed name and the words agreed to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: SignatureAction
    at: AwareDatetime
    actor: str
    email: str = ""
    ip: str = ""
    user_agent: str = ""
    disclosure_version: str = ""
    disclosure_sha256: str = ""
    document_before: str = ""
    document_after: str = ""
    note: str = ""


class TrailEntry(BaseModel):
    """An event in its chain: ``seq`` counts from 1, hashes are SHA-256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int
    event: TrailEvent
    previous: str
    hash: str


def append(last: TrailEntry | None, event: TrailEvent) -> TrailEntry:
    """The entry that ``event`` makes behind ``last``, which is ``None`` at the start."""
    seq = 1 if last is None else last.seq + 1
    previous = GENESIS if last is None else last.hash
    return TrailEntry(seq=seq, event=event, previous=previous, hash=_hash(seq, previous, event))


def first_break(entries: Sequence[TrailEntry]) -> int | None:
    """The position (from 0) of the first entry that does not follow; ``None`` when all do.

    A chain whose end was cut off follows all the same: keep the newest hash elsewhere, as the
    sealed letter does.
    """
    last: TrailEntry | None = None
    for position, entry in enumerate(entries):
        if entry != append(last, entry.event):
            return position
        last = entry
    return None


def _hash(seq: int, previous: str, event: TrailEvent) -> str:
    content = event.model_dump(mode="json", exclude={"at"})
    content["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    written = json.dumps(
        {"seq": seq, "previous": previous, "event": content},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(written.encode("ascii")).hexdigest()
