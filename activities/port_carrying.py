"""What an order tells its winning carrier, and what it hears from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from activities.contracts import CarrierAnswer, LookedAt, ToldCarrier
from activities.port_desk import PortDesk
from carriers.base import (
    Attachment,
    CarrierRefused,
    CarrierUnavailable,
    PortingCarrier,
    PortSubmission,
    UnknownCarrierOrder,
    command_key,
)
from domain.porting.events import Answered, CarrierAway, CommandRefused, Seen
from domain.porting.order import PortDetails, PortSecrets
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierRejection, CarrierSnapshot, SeenRejection, sighting_of
from domain.porting.state import CommandKind
from storage import (
    port_documents,
    port_letters,
    port_numbers,
    port_orders,
    port_secrets,
    port_timeline,
)
from storage.documents.base import DocumentMissing, DocumentStore, read_whole
from storage.port_timeline import NewEntry
from storage.tables import PortDocument, PortLoa, PortNumber, PortOrder

__all__ = ["ask_carrier", "tell"]

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class _Read:
    """All of an order that a carrier may be told."""

    order: PortOrder
    rows: Sequence[PortNumber]
    details: PortDetails
    secrets: PortSecrets
    letter: PortLoa | None
    documents: Sequence[PortDocument]

    @property
    def positions(self) -> Mapping[str, int]:
        return {row.number: row.position for row in self.rows}


async def tell(desk: PortDesk, told: ToldCarrier) -> CarrierAnswer:
    """Tell the carrier under the command's key; what became of it is a value."""
    command, carrier = told.command, desk.carriers[told.carrier]
    read = await _read(desk, told.org_id, told.order_id)
    if read is None:
        return CarrierAway(command=command.kind, attempt=command.attempt)
    try:
        carrier_order_id = await _command(desk, carrier, told, read)
    except CarrierRefused as refused:
        await _note_words(desk, told, refused.rejections)
        return CommandRefused(
            command=command.kind,
            attempt=command.attempt,
            rejections=_seen(refused.rejections, read.positions),
        )
    except UnknownCarrierOrder:
        return CommandRefused(
            command=command.kind,
            attempt=command.attempt,
            rejections=(SeenRejection(code=RejectionCode.OTHER),),
        )
    except CarrierUnavailable:
        return CarrierAway(command=command.kind, attempt=command.attempt)
    return Answered(
        command=command.kind, attempt=command.attempt, carrier_order_id=carrier_order_id
    )


async def _command(
    desk: PortDesk, carrier: PortingCarrier, told: ToldCarrier, read: _Read
) -> str | None:
    """Carry it out; the carrier's name of an order that it was given."""
    kind, now = told.command.kind, told.now
    key = command_key(told.order_id, told.command.attempt)
    if kind is CommandKind.SUBMIT:
        submission = await _submission(desk.documents, told, read)
        return (await carrier.submit(submission, now=now)).carrier_order_id
    if told.carrier_order_id is None:
        raise UnknownCarrierOrder(told.order_id)
    if kind is CommandKind.SUPPLEMENT:
        submission = await _submission(desk.documents, told, read)
        await carrier.supplement(told.carrier_order_id, submission, now=now)
    elif kind is CommandKind.RESCHEDULE:
        requested = read.details.requested_date or _day(told)
        await carrier.reschedule(told.carrier_order_id, key, requested, now=now)
    elif kind is CommandKind.CANCEL:
        await carrier.cancel(told.carrier_order_id, key, now=now)
    else:
        await carrier.activate(told.carrier_order_id, key, now=now)
    return None


def _day(told: ToldCarrier) -> date:
    return told.now.date()


async def ask_carrier(desk: PortDesk, looked: LookedAt) -> Seen | CarrierAway:
    """How the order stands. The carrier's own words are kept in rows and come no further."""
    try:
        snapshot = await desk.carriers[looked.carrier].snapshot(
            looked.carrier_order_id, now=looked.now
        )
    except (CarrierUnavailable, UnknownCarrierOrder):
        return CarrierAway()
    async with desk.database.tenant(looked.org_id) as session:
        rows = await port_numbers.of_order(session, looked.order_id)
        words = {each.number: each.raw for each in snapshot.numbers if each.raw}
        changed = {
            row.number: words[row.number]
            for row in rows
            if row.number in words and row.carrier_status_raw != words[row.number]
        }
        if changed:
            await port_numbers.note_raw(session, looked.order_id, changed)
        said = _said(snapshot)
        if said:
            entry = NewEntry(
                entry_key=f"carrier:{snapshot.carrier_order_id}:{snapshot.sequence}",
                at=looked.now,
                kind="carrier_said",
                actor="winning_carrier",
                text="The carrier's own words.",
                raw=said,
            )
            await port_timeline.add(session, looked.order_id, [entry])
    positions = {row.number: row.position for row in rows}
    return Seen(sighting=sighting_of(snapshot, positions))


def _said(snapshot: CarrierSnapshot) -> str:
    lines = [snapshot.raw] if snapshot.raw else []
    lines += [f"{each.raw_code} {each.text}".strip() for each in snapshot.rejections]
    return "\n".join(line for line in lines if line)


async def _note_words(
    desk: PortDesk, told: ToldCarrier, rejections: Sequence[CarrierRejection]
) -> None:
    raw = "\n".join(f"{each.raw_code} {each.text}".strip() for each in rejections)
    if not raw:
        return
    entry = NewEntry(
        entry_key=f"refused:{told.command.attempt}",
        at=told.now,
        kind="carrier_said",
        actor="winning_carrier",
        text="The carrier's own words.",
        raw=raw,
    )
    async with desk.database.tenant(told.org_id) as session:
        await port_timeline.add(session, told.order_id, [entry])


def _seen(
    rejections: Sequence[CarrierRejection], positions: Mapping[str, int]
) -> tuple[SeenRejection, ...]:
    return tuple(
        SeenRejection(
            code=each.code,
            positions=tuple(sorted(positions[one] for one in each.numbers if one in positions)),
        )
        for each in rejections
    )


async def _read(desk: PortDesk, org_id: str, order_id: str) -> _Read | None:
    async with desk.database.tenant(org_id) as session:
        order = await port_orders.get(session, order_id)
        if order is None:
            return None
        details = port_orders.details_of(order)
        letters = await port_letters.of_order(session, order_id)
        signed = [each for each in letters if each.signed_at is not None]
        documents = await port_documents.get_each(session, details.document_ids)
        return _Read(
            order=order,
            rows=await port_numbers.of_order(session, order_id),
            details=details,
            secrets=await port_secrets.read(session, desk.secret_box, order_id),
            letter=signed[-1] if signed else None,
            documents=tuple(documents.values()),
        )


async def _submission(store: DocumentStore, told: ToldCarrier, read: _Read) -> PortSubmission:
    numbers = tuple(row.number for row in read.rows if row.position in told.positions)
    letter = None
    if read.letter is not None and read.letter.signed_key is not None:
        content = await _content(store, read.letter.signed_key)
        letter = Attachment(
            name="letter-of-authorization.pdf",
            media_type=PDF,
            sha256=read.letter.signed_sha256 or hashlib.sha256(content).hexdigest(),
            content=content,
        )
    return PortSubmission(
        order_id=told.order_id,
        attempt=told.command.attempt,
        kind=read.order.kind,
        numbers=numbers,
        details=read.details,
        secrets=read.secrets.limited_to(numbers),
        letter=letter,
        documents=[
            Attachment(
                name=each.name,
                media_type=each.media_type,
                sha256=each.sha256,
                content=await _content(store, each.stored_key),
            )
            for each in read.documents
        ],
        on_demand=bool(read.order.standing.get("on_demand", False)),
    )


async def _content(store: DocumentStore, key: str) -> bytes:
    try:
        return await read_whole(store, key)
    except DocumentMissing as error:
        raise CarrierUnavailable(f"a document of the order is missing: {error.key}") from error
