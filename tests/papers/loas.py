"""Letters, their signatures and the records of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.porting.loa_text import Disclosure, LoaContent
from domain.porting.signature_trail import SignatureAction, TrailEntry, TrailEvent, append
from papers.seal_key import SealKey, make_seal_key

__all__ = ["AT", "CONTENT", "KEY", "numbered", "trail_of"]

AT = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)

CONTENT = LoaContent(
    document_id="port_abc123-1",
    template_version="2026-11",
    title="Letter of authorization",
    fields=(
        ("Business name on the account", "Nguyễn Thị Ánh & Sons, Inc."),
        ("Service address", "1 Main St, Suite 400, San José, CA 95112, US"),
        ("Present carrier", "Old Carrier LLC"),
    ),
    paragraphs=("The customer decides to change the provider.", "A fee is possible."),
    numbers_title="Telephone numbers",
    numbers=("+14155550100", "+14155550101", "+14155550102"),
    signature_statement="I am authorized to act. I intend to sign this letter.",
    signature_fields=(
        ("Name", "Žofia Παπαδοπούλου Щербакова"),
        ("E-mail", "zofia@customer.example"),
    ),
    disclosure=Disclosure(
        version="2026-11",
        title="Signing electronically",
        paragraphs=("You may sign on paper instead.",),
        consent="I agree to sign electronically.",
        sha256="d" * 64,
    ),
)

KEY: SealKey = make_seal_key(AT, "Trunkline of example.org")


def numbered(count: int) -> LoaContent:
    """A letter of so many numbers."""
    return replace(CONTENT, numbers=tuple(f"+1415555{number:04d}" for number in range(count)))


def trail_of(
    letter_sha256: str,
    actions: Sequence[SignatureAction] = (
        SignatureAction.LINK_SENT,
        SignatureAction.DISCLOSURE_SHOWN,
        SignatureAction.CONSENT_GIVEN,
        SignatureAction.SIGNED,
    ),
) -> list[TrailEntry]:
    """A record of these actions, a second apart."""
    entries: list[TrailEntry] = []
    for number, action in enumerate(actions):
        event = TrailEvent(
            action=action,
            at=AT + timedelta(seconds=number),
            actor="Žofia 王",
            email="zofia@customer.example",
            ip="2001:db8::1",
            user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 \U0001f98a",
            disclosure_version="2026-11",
            disclosure_sha256="d" * 64,
            document_before=letter_sha256 if action is SignatureAction.SIGNED else "",
        )
        entries.append(append(entries[-1] if entries else None, event))
    return entries
