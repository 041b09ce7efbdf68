"""Which visits to a signing page belong into the trail of its signature.

Mail scanners, reloads and whoever has the link could fill it without end: each visitor is noted once for
each thing that it looked at, and so many visits at most. What decides, such as a consent or a signature,
is always noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.porting.signature_trail import SignatureAction, TrailEntry, TrailEvent

__all__ = ["VISITS", "VISITS_AT_MOST", "is_news"]

VISITS: Final = frozenset(
    {
        SignatureAction.LINK_OPENED,
        SignatureAction.DISCLOSURE_SHOWN,
        SignatureAction.DOCUMENT_VIEWED,
        SignatureAction.DOWNLOADED,
    }
)

VISITS_AT_MOST: Final = 60
"""A signer with three devices makes a dozen."""


def is_news(trail: Sequence[TrailEntry], event: TrailEvent) -> bool:
    """Whether the event is to be added to the trail."""
    if event.action not in VISITS:
        return True
    visits = [each.event for each in trail if each.event.action in VISITS]
    return len(visits) < VISITS_AT_MOST and _visit(event) not in map(_visit, visits)


def _visit(event: TrailEvent) -> tuple[str, ...]:
    return (
        event.action,
        event.email,
        event.ip,
        event.user_agent,
        event.disclosure_sha256,
        event.document_before,
        event.document_after,
    )
