"""A new or corrected order is checked, and its letter of authorization made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from activities.contracts import ValidatedPort
from activities.port_desk import PortDesk
from carriers.base import CarrierUnavailable
from domain.porting.events import Validated
from domain.porting.loa_text import LoaFacts, compose
from domain.porting.order import PortDetails, masked
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.words import Portability
from papers.press import print_letter
from storage import port_documents, port_letters, port_numbers, port_orders, port_secrets
from storage.ids import new_id
from storage.port_letters import NewLetter
from storage.tables import PortNumber, PortOrder

__all__ = ["validate"]


async def validate(desk: PortDesk, validated: ValidatedPort) -> Validated:
    """What stands in the way of the order, and if nothing does, the letter to sign."""
    async with desk.database.tenant(validated.org_id) as session:
        order = await port_orders.get(session, validated.order_id)
        if order is None:
            return Validated(documents_missing=True)
        details = port_orders.details_of(order)
        rows = [
            row
            for row in await port_numbers.of_order(session, validated.order_id)
            if row.position in validated.positions
        ]
        found = await port_documents.get_each(session, details.document_ids)
        secrets = await port_secrets.read(session, desk.secret_box, validated.order_id)
    unportable = await _unportable(desk, order, rows, validated) if validated.first else ()
    lost = {position for each in unportable for position in each.positions}
    left = [row.number for row in rows if row.position not in lost]
    if not left or not found:
        return Validated(unportable=unportable, documents_missing=bool(left))
    await _write(desk, validated, order, details, left, masked(secrets.account_number))
    return Validated(unportable=unportable, letter=validated.letter)


async def _unportable(
    desk: PortDesk, order: PortOrder, rows: Sequence[PortNumber], validated: ValidatedPort
) -> tuple[SeenRejection, ...]:
    """Numbers that the carrier says cannot be ported. One that it cannot tell of goes on: checks are
    down at times, and the order itself shows."""
    carrier = desk.carriers[order.carrier]
    try:
        checks = await carrier.check([row.number for row in rows], now=validated.now)
    except CarrierUnavailable:
        return ()
    by_code: dict[RejectionCode, list[int]] = {}
    positions = {row.number: row.position for row in rows}
    for check in checks:
        if check.portability is Portability.NO and check.number in positions:
            code = check.code or RejectionCode.NOT_PORTABLE
            by_code.setdefault(code, []).append(positions[check.number])
    return tuple(
        SeenRejection(code=code, positions=tuple(sorted(found))) for code, found in by_code.items()
    )


async def _write(
    desk: PortDesk,
    validated: ValidatedPort,
    order: PortOrder,
    details: PortDetails,
    numbers: Sequence[str],
    account_hint: str | None,
) -> None:
    """Make and store the letter of this revision; the one that is there stays."""
    async with desk.database.tenant(validated.org_id) as session:
        newest = await port_letters.newest(session, order.id)
    if newest is not None and newest.revision >= validated.letter:
        return
    profile = desk.profiles.named(order.carrier_profile)
    facts = LoaFacts(
        order_id=order.id,
        revision=validated.letter,
        kind=order.kind,
        details=details,
        numbers=tuple(sorted(numbers)),
        losing_carrier=order.losing_carrier or "",
        winning_carrier=desk.rules.winning_carrier,
        agent=desk.rules.agent,
        contact=desk.rules.contact,
        issued_on=validated.now.date(),
        link_days=profile.link_days,
        account_hint=account_hint,
    )
    composed = compose(desk.template, facts)
    content = await print_letter(composed, validated.now)
    digest = hashlib.sha256(content).hexdigest()
    key = f"letters/{order.id}/{validated.letter}-{digest[:16]}.pdf"
    await desk.documents.put(key, content)
    async with desk.database.tenant(validated.org_id) as session:
        await port_letters.add(
            session,
            NewLetter(
                id=new_id("loa"),
                order_id=order.id,
                revision=validated.letter,
                content=composed,
                unsigned_sha256=digest,
                unsigned_key=key,
                created_at=validated.now,
            ),
        )
