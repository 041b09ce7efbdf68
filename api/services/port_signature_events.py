"""A letter that was signed or declined with an outside service, written down once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, InvalidRequest, NotFound
from api.schemas.port_signature_events import SignatureEvent
from domain.porting.effects import Actor
from domain.porting.events import FactKind
from domain.porting.signature_trail import SignatureAction, TrailEvent
from storage import (
    port_documents,
    port_letters,
    port_orders,
    port_signatures,
    port_timeline,
)
from storage.engine import Database
from storage.ids import is_id
from storage.port_timeline import NewEntry
from storage.tables import PortLoa

__all__ = ["LETTER_NOT_OPEN", "Told", "tell_signature"]

LETTER_NOT_OPEN = "LETTER_NOT_OPEN"

_PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an event; one that came before is ``duplicate`` and changes nothing."""

    duplicate: bool
    letter: int


async def tell_signature(
    database: Database, order_id: str, event_id: str, event: SignatureEvent, now: datetime
) -> Told:
    """Note the event and tell the order's process.

    Raises ``NotFound`` for an unknown order, ``InvalidRequest`` for a document that is no PDF of the
    order's organization, and ``Conflict`` when the letter is signed, declined or replaced already.
    """
    if not is_id("port", order_id):
        raise NotFound
    async with database.system() as session:
        found = await port_orders.get(session, order_id)
    if found is None:
        raise NotFound
    async with database.tenant(found.org_id) as session:
        await port_orders.get(session, order_id, for_update=True)
        loa = await _letter(session, order_id, event)
        new = _entry(event_id, event, loa, now)
        if not await port_timeline.add(session, order_id, [new]):
            return Told(duplicate=True, letter=loa.revision)
        # A link of ours would lead to a letter that is closed. Links are held before the trail, as by
        # those who open one.
        await port_signatures.invalidate(session, order_id, now=now)
        if event.type == "loa_signed":
            await _sign(session, loa, event, now)
            fact = FactKind.LOA_SIGNED
        else:
            await _decline(session, loa, event, now)
            fact = FactKind.LOA_DECLINED
        await port_orders.tell(session, loa.org_id, order_id, fact, letter=loa.revision)
    return Told(duplicate=False, letter=loa.revision)


async def _letter(session: AsyncSession, order_id: str, event: SignatureEvent) -> PortLoa:
    letters = await port_letters.of_order(session, order_id)
    wanted = event.data.letter
    found = [each for each in letters if wanted is None or each.revision == wanted]
    if not found:
        raise InvalidRequest(
            "the order has no such letter; leave `letter` out for the newest one",
            field="data.letter",
        )
    return found[-1]


async def _sign(session: AsyncSession, loa: PortLoa, event: SignatureEvent, now: datetime) -> None:
    sha256, key, note = loa.unsigned_sha256, loa.unsigned_key, "the signed PDF was not handed over"
    document_id = event.data.document_id
    if document_id is not None:
        document = await port_documents.get(session, document_id)
        if document is None or document.media_type != _PDF:
            raise InvalidRequest(
                "it names no PDF of the order's organization; upload the signed letter first",
                field="data.document_id",
            )
        sha256, key, note = document.sha256, document.stored_key, f"signed PDF {document.id}"
    signed = await port_letters.sign(session, loa.id, sha256=sha256, stored_key=key, now=now)
    if signed is None:
        raise _not_open()
    await _note(session, loa, event, SignatureAction.SIGNED, note, now, after=sha256)


async def _decline(
    session: AsyncSession, loa: PortLoa, event: SignatureEvent, now: datetime
) -> None:
    if await port_letters.decline(session, loa.id, now=now) is None:
        raise _not_open()
    await _note(session, loa, event, SignatureAction.DECLINED, event.data.reason, now)


async def _note(
    session: AsyncSession,
    loa: PortLoa,
    event: SignatureEvent,
    action: SignatureAction,
    note: str,
    now: datetime,
    *,
    after: str = "",
) -> None:
    said = TrailEvent(
        action=action,
        at=now,
        actor=event.data.signer_name or "outside signature service",
        email=event.data.signer_email,
        document_before=loa.unsigned_sha256,
        document_after=after,
        note=f"reported by an outside signature service: {note}",
    )
    await port_signatures.append(session, loa.id, said)


def _entry(event_id: str, event: SignatureEvent, loa: PortLoa, now: datetime) -> NewEntry:
    did = "signed" if event.type == "loa_signed" else "declined"
    return NewEntry(
        entry_key=f"signature_event:{event_id}",
        at=now,
        kind="signature_event",
        actor=Actor.SYSTEM.value,
        text=f"An outside signature service reports that the letter of authorization was {did}.",
        data={"type": event.type, "letter": loa.revision},
    )


def _not_open() -> Conflict:
    return Conflict(
        "the letter is signed, declined or replaced already; nothing was changed",
        code=LETTER_NOT_OPEN,
    )
