"""What somebody looked at, noted in the record of the signature."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.signing.letters import OpenedLink
from api.signing.visitor import Visitor
from api.state import ApiState
from domain.porting.signature_trail import SignatureAction, TrailEvent
from domain.porting.signature_views import is_news
from storage import port_signatures

__all__ = ["note_document", "note_download", "note_page"]


async def note_page(state: ApiState, opened: OpenedLink, visitor: Visitor, now: datetime) -> None:
    """The link was opened, and the disclosure shown."""
    async with state.database.tenant(opened.link.org_id) as session:
        if await port_signatures.open_link(session, opened.link.token_sha256, now=now):
            await _note(session, opened, SignatureAction.LINK_OPENED, visitor, now)
        await _note(session, opened, SignatureAction.DISCLOSURE_SHOWN, visitor, now)


async def note_document(
    state: ApiState, opened: OpenedLink, visitor: Visitor, now: datetime
) -> None:
    """The letter was shown as a PDF."""
    async with state.database.tenant(opened.link.org_id) as session:
        await _note(session, opened, SignatureAction.DOCUMENT_VIEWED, visitor, now)


async def note_download(
    state: ApiState, opened: OpenedLink, visitor: Visitor, now: datetime
) -> None:
    """The sealed letter was fetched."""
    async with state.database.tenant(opened.link.org_id) as session:
        await _note(session, opened, SignatureAction.DOWNLOADED, visitor, now)


async def _note(
    session: AsyncSession,
    opened: OpenedLink,
    action: SignatureAction,
    visitor: Visitor,
    now: datetime,
) -> None:
    event = _event(opened, action, visitor, now)
    if is_news(await port_signatures.trail(session, opened.loa.id), event):
        await port_signatures.append(session, opened.loa.id, event)


def _event(
    opened: OpenedLink, action: SignatureAction, visitor: Visitor, now: datetime
) -> TrailEvent:
    disclosure = opened.content.disclosure
    shown = action is SignatureAction.DISCLOSURE_SHOWN
    return visitor.event(
        action,
        at=now,
        actor="whoever has the link",
        email=opened.link.email,
        disclosure_version=disclosure.version if shown else "",
        disclosure_sha256=disclosure.sha256 if shown else "",
        document_before=opened.loa.unsigned_sha256,
        document_after=opened.loa.signed_sha256 or "",
    )
