"""From a row to an order's state, and from a step back to rows, timeline and messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import RecordedStep
from activities.port_desk import PortDesk
from domain.porting.effects import Audience, Notice, TimelineEntry
from domain.porting.messages import mail_content
from domain.porting.notice_facts import NoticeFacts, NoticeLinks, facts_of
from domain.porting.port_event import event_body, is_for_webhooks
from domain.porting.standing import standing_of, state_in
from domain.porting.state import NumberState, PortState
from domain.porting.timeline_text import entry_text
from domain.porting.words import TERMINAL, SubStatus
from storage import organizations, port_numbers, port_orders
from storage.ids import new_id
from storage.port_notices import NewNotice
from storage.port_projection import ProjectedNumber, Projection, project
from storage.port_timeline import NewEntry
from storage.port_wholes import follow_parts
from storage.tables import NoticeChannel, Organization, PortOrder

__all__ = ["opened_state", "record_step"]


async def opened_state(session: AsyncSession, desk: PortDesk, order_id: str) -> PortState | None:
    """The order to begin with; ``None`` when it has no process of its own."""
    order = await port_orders.get(session, order_id)
    if order is None or order.sub_status is SubStatus.DRAFT:
        return None
    if await port_orders.parts_of(session, order_id):
        return None
    stored = state_in(order.standing)
    if stored is not None and stored.generation == order.generation:
        return stored
    if order.sub_status in TERMINAL:
        return None
    rows = await port_numbers.of_order(session, order_id)
    return PortState(
        order_id=order.id,
        org_id=order.org_id,
        carrier=order.carrier,
        profile=order.carrier_profile,
        kind=order.kind,
        on_demand=bool(order.standing.get("on_demand", False)),
        scale=desk.rules.scale,
        details=order.revision,
        numbers=tuple(NumberState(position=row.position, status=row.status) for row in rows),
    )


async def record_step(session: AsyncSession, desk: PortDesk, recorded: RecordedStep) -> bool:
    """Write the step; false when it was written before, or the order is gone."""
    state = recorded.state
    order = await port_orders.get(session, state.order_id, for_update=True)
    if order is None or order.generation >= state.generation:
        return False
    rows = await port_numbers.of_order(session, state.order_id)
    numbers = {row.position: row.number for row in rows}
    told = [(entry, entry_text(entry, numbers)) for entry in recorded.entries]
    organization = await organizations.get(session, state.org_id)
    facts = facts_of(
        state,
        port_orders.details_of(order),
        numbers,
        at=recorded.now,
        losing_carrier=order.losing_carrier,
        zone=desk.profiles.named(order.carrier_profile).time_zone,
        foc_before=order.foc_at,
        entries=[text for _, text in told],
        links=NoticeLinks(
            order=f"{desk.rules.public_url}/v1/sip/port/{order.id}",
            sign=f"{desk.rules.public_url}/sign/{order.id}",
        ),
    )
    written = await project(
        session,
        state.order_id,
        Projection(
            generation=state.generation,
            at=recorded.now,
            sub_status=state.sub_status,
            numbers=[
                ProjectedNumber(
                    position=each.position, status=each.status, rejection=each.rejection
                )
                for each in state.numbers
            ],
            # What others noted there, such as numbers that were left out, stays.
            standing={**order.standing, **standing_of(state)},
            carrier_order_id=state.carrier_order_id,
            foc_at=state.foc_at,
            completed_at=state.completed_at,
            cancel_requested_at=state.cancel_requested_at,
            cancel_cutoff_at=state.cancel_cutoff_at,
            timeline=[_entry(entry, text, numbers) for entry, text in told],
            notices=list(_messages(desk, order, recorded, facts, organization)),
        ),
    )
    if written and order.parent_id is not None:
        await follow_parts(session, order.parent_id, at=recorded.now)
    return written


def _entry(entry: TimelineEntry, text: str, numbers: dict[int, str]) -> NewEntry:
    return NewEntry(
        entry_key=entry.key,
        at=entry.at,
        kind=entry.kind.value,
        actor=entry.actor.value,
        text=text,
        from_sub_status=entry.from_status,
        to_sub_status=entry.to_status,
        data={
            "numbers": [numbers[each] for each in entry.positions if each in numbers],
            "codes": [code.value for code in entry.codes],
            "until": None if entry.until is None else entry.until.isoformat(),
            "count": entry.count,
        },
        public=entry.public,
    )


def _messages(
    desk: PortDesk,
    order: PortOrder,
    recorded: RecordedStep,
    facts: NoticeFacts,
    organization: Organization | None,
) -> Iterable[NewNotice]:
    """One mail to each mailbox and one event to each webhook, for each notice."""
    endpoints = [] if organization is None else organization.webhook_endpoints
    for notice in recorded.notices:
        mail = mail_content(notice, facts, letter=recorded.state.letter)
        for mailbox in dict.fromkeys(_mailboxes(desk, order, notice)):
            made = new_id("ntc")
            yield _message(notice, made, NoticeChannel.EMAIL, mailbox, mail.stored())
        if not is_for_webhooks(notice):
            continue
        for endpoint in endpoints:
            if endpoint.get("format", "standard") == "standard":
                made = new_id("ntc")
                event = event_body(notice, facts, event_id=made, at=recorded.now)
                content = event.model_dump(mode="json")
                yield _message(notice, made, NoticeChannel.WEBHOOK, str(endpoint["id"]), content)


def _message(
    notice: Notice,
    message_id: str,
    channel: NoticeChannel,
    recipient: str,
    content: Mapping[str, object],
) -> NewNotice:
    return NewNotice(
        id=message_id,
        transition_key=notice.key,
        channel=channel,
        recipient=recipient,
        message_id=message_id,
        content=content,
    )


def _mailboxes(desk: PortDesk, order: PortOrder, notice: Notice) -> Sequence[str]:
    details = port_orders.details_of(order)
    if notice.audience is Audience.OPERATOR:
        return desk.rules.operator_emails
    if notice.audience is Audience.SIGNER:
        return (details.authorized_representative_email,)
    return details.informed
