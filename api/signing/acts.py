"""Signing and declining: once, whole or not at all.

One transaction takes the link's only use, writes the record of the signature, stores the sealed letter,
and tells the order's process. The order's row is held first, as everybody does who changes its letters.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.signing.letters import OpenedLink, read_document, signer_of
from api.signing.seals import seal_key
from api.signing.visitor import Visitor
from api.state import ApiState
from domain.porting.events import FactKind
from domain.porting.messages import Attachment, MailContent, copy_mail
from domain.porting.signature_trail import SignatureAction
from papers.press import print_sealed
from papers.signature import Signature
from storage import port_letters, port_notices, port_orders, port_signatures
from storage.ids import new_id
from storage.port_notices import NewNotice
from storage.tables import NoticeChannel, PortLoa

__all__ = ["NotOpen", "Signing", "decline", "sign"]


class NotOpen(Exception):
    """The link has no use left, or the letter is not to be signed any more."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What a signer gave. ``drawing`` is a PNG that was checked."""

    typed: str = field(repr=False)
    drawing: bytes | None = field(repr=False)
    visitor: Visitor


async def sign(state: ApiState, opened: OpenedLink, signing: Signing, now: datetime) -> None:
    """Sign the letter. Raises ``NotOpen`` when somebody else did, or it is too late.

    Raises ``LetterDamaged``, ``DocumentStoreError``, ``PaperError`` and ``SecretBoxError`` too; then
    nothing is signed, and the link can still be used.
    """
    loa = opened.loa
    letter = await read_document(state, loa.unsigned_key, loa.unsigned_sha256)
    key = await seal_key(state, now)
    async with state.database.tenant(opened.link.org_id) as session:
        await _take(session, opened, now)
        await _record(session, opened, signing, now)
        trail = await port_signatures.trail(session, loa.id)
        signature = Signature(now, signing.typed, signing.drawing)
        sealed = await print_sealed(
            letter, loa.unsigned_sha256, opened.content, signature, trail, key
        )
        digest = hashlib.sha256(sealed).hexdigest()
        stored_key = f"letters/{loa.order_id}/{loa.revision}-signed-{digest[:16]}.pdf"
        await state.porting.documents.put(stored_key, sealed)
        signed = await port_letters.sign(
            session, loa.id, sha256=digest, stored_key=stored_key, now=now
        )
        if signed is None:
            raise NotOpen
        await _mail_copy(session, opened, signed, now)
        await _tell(session, signed, FactKind.LOA_SIGNED)


async def decline(
    state: ApiState, opened: OpenedLink, visitor: Visitor, reason: str, now: datetime
) -> None:
    """Refuse to sign, which ends the order. Raises ``NotOpen`` as ``sign``."""
    async with state.database.tenant(opened.link.org_id) as session:
        await _take(session, opened, now)
        event = visitor.event(
            SignatureAction.DECLINED,
            at=now,
            actor=signer_of(opened.content),
            email=opened.link.email,
            document_before=opened.loa.unsigned_sha256,
            note=reason,
        )
        await port_signatures.append(session, opened.loa.id, event)
        declined = await port_letters.decline(session, opened.loa.id, now=now)
        if declined is None:
            raise NotOpen
        await _tell(session, declined, FactKind.LOA_DECLINED)


async def _take(session: AsyncSession, opened: OpenedLink, now: datetime) -> None:
    await port_orders.get(session, opened.order.id, for_update=True)
    if await port_signatures.use(session, opened.link.token_sha256, now=now) is None:
        raise NotOpen


async def _record(
    session: AsyncSession, opened: OpenedLink, signing: Signing, now: datetime
) -> None:
    """The consent, then the signature with the words that it agreed to."""
    content = opened.content
    ways = " and ".join(
        way for way, given in (("typed", signing.typed), ("drawn", signing.drawing)) if given
    )
    name = f": {signing.typed}" if signing.typed else ""
    for action, note in (
        (SignatureAction.CONSENT_GIVEN, content.disclosure.consent),
        (SignatureAction.SIGNED, f"{ways}{name}. {content.signature_statement}"),
    ):
        event = signing.visitor.event(
            action,
            at=now,
            actor=signer_of(content),
            email=opened.link.email,
            disclosure_version=content.disclosure.version,
            disclosure_sha256=content.disclosure.sha256,
            document_before=opened.loa.unsigned_sha256,
            note=note,
        )
        await port_signatures.append(session, opened.loa.id, event)


async def _mail_copy(
    session: AsyncSession, opened: OpenedLink, signed: PortLoa, now: datetime
) -> None:
    """The signer keeps a copy (15 U.S.C. 7001(c)(1), (e))."""
    name = f"letter-of-authorization-{opened.order.id}.pdf"
    text = copy_mail(
        order_id=opened.order.id,
        signer=signer_of(opened.content),
        numbers=opened.content.numbers,
        signed_at=now,
        sha256=signed.signed_sha256 or "",
    )
    content = MailContent(
        subject=text.subject,
        text=text.text,
        html=text.html,
        attachments=(
            Attachment(
                name=name,
                media_type="application/pdf",
                stored_key=signed.signed_key or "",
                sha256=signed.signed_sha256 or "",
            ),
        ),
        loa_id=signed.id,
        trail=SignatureAction.COPY_DELIVERED,
    )
    notice_id = new_id("ntc")
    new = NewNotice(
        id=notice_id,
        transition_key=f"copy.{signed.revision}",
        channel=NoticeChannel.EMAIL,
        recipient=opened.link.email,
        message_id=notice_id,
        content=content.stored(),
    )
    await port_notices.add(session, signed.order_id, signed.org_id, [new], at=now)


async def _tell(session: AsyncSession, loa: PortLoa, fact: FactKind) -> None:
    await port_orders.tell(session, loa.org_id, loa.order_id, fact, letter=loa.revision)
