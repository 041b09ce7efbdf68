"""Messages about port orders on their way: claimed, sent, and written down as sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import DueNotice, NoticeWork, WaitingNotices
from activities.port_desk import PortDesk
from channels.base import Delivered, Failed, Receipt, Refused
from domain.alert_retry import next_attempt
from domain.porting.messages import MailContent
from domain.porting.signature_trail import TrailEvent
from domain.porting.standing import state_in
from domain.porting.state import DeadlineKind
from observability.logs import get_logger
from storage import port_letters, port_links, port_notices, port_orders, port_signatures
from storage.documents.base import DocumentMissing, DocumentStoreError, read_whole
from storage.tables import NoticeChannel, PortLoa, PortNotice
from storage.trunk_vault import server_key

__all__ = ["SIGNING_PATH", "PortMessenger", "deliver", "due"]

_log = get_logger("trunkline.porting")

CLAIMED_FOR: Final = timedelta(minutes=2)
"""Longer than an attempt may take: who holds a claim so long has died."""

SIGNING_PATH: Final = "/sign/link/"
"""Where a one-time link leads, below the public URL; the token follows."""


class PortMessenger(Protocol):
    """How messages leave. Both end within a deadline of their own and raise nothing but bugs."""

    async def mail(
        self, recipient: str, message_id: str, content: MailContent, files: Sequence[bytes]
    ) -> Receipt:
        """Send a mail; ``files`` are the contents of its attachments."""
        ...

    async def post(
        self, session: AsyncSession, org_id: str, endpoint_id: str, event: Mapping[str, Any]
    ) -> Receipt:
        """Send an event to a webhook of the organization, signed."""
        ...


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A notice that is claimed; of a mail ``content``, and the letter that it is about. ``problem`` says
    why it cannot be sent."""

    notice: PortNotice
    content: MailContent | None = None
    letter: PortLoa | None = None
    problem: str | None = None


async def due(desk: PortDesk, waiting: WaitingNotices) -> NoticeWork:
    """What to send now, and when the next message is due."""
    async with desk.database.tenant(waiting.org_id) as session:
        found = await port_notices.pending(session, waiting.order_id)
    times = [(each.id, each.next_at or waiting.now) for each in found]
    return NoticeWork(
        due=tuple(each for each, at in times if at <= waiting.now),
        wake_at=min((at for _, at in times if at > waiting.now), default=None),
    )


async def deliver(desk: PortDesk, messenger: PortMessenger, asked: DueNotice) -> None:
    """Send one message once, if nobody else is at it."""
    async with desk.database.tenant(asked.org_id) as session:
        notice = await port_notices.claim(
            session, asked.notice_id, now=asked.now, lapses_at=asked.now + CLAIMED_FOR
        )
        if notice is None:
            return
        outgoing = await _prepared(session, desk, notice, asked.now)
    receipt = await _sent(desk, messenger, outgoing)
    async with desk.database.tenant(asked.org_id) as session:
        ours = await _note(session, notice, receipt, asked.now)
        if ours and isinstance(receipt, Delivered):
            await _trail(session, outgoing, asked.now)


async def _prepared(
    session: AsyncSession, desk: PortDesk, notice: PortNotice, now: datetime
) -> _Outgoing:
    if notice.channel is NoticeChannel.WEBHOOK:
        return _Outgoing(notice)
    content = MailContent.model_validate(notice.content)
    if content.letter is None:
        letter = None if content.loa_id is None else await port_letters.get(session, content.loa_id)
        return _Outgoing(notice, content, letter)
    return await _linked(session, desk, notice, content, now)


async def _linked(
    session: AsyncSession, desk: PortDesk, notice: PortNotice, content: MailContent, now: datetime
) -> _Outgoing:
    """The mail with its one-time link, the same with each attempt."""
    letter = await port_letters.newest(session, notice.order_id)
    order = await port_orders.get(session, notice.order_id)
    is_open = letter is not None and letter.signed_at is None and letter.declined_at is None
    if letter is None or order is None or not is_open or letter.revision != content.letter:
        return _Outgoing(notice, problem="the letter is signed, declined or replaced by now")
    state = state_in(order.standing)
    expiry = None if state is None else state.due(DeadlineKind.PAPER_EXPIRY)
    profile = desk.profiles.named(order.carrier_profile)
    token = await port_links.issue(
        session,
        await server_key(session, desk.secret_box, "signature_links"),
        notice.id,
        loa_id=letter.id,
        email=notice.recipient,
        now=now,
        expires_at=now + timedelta(days=profile.link_days) if expiry is None else expiry.at,
    )
    if token is None:
        return _Outgoing(notice, problem="a newer mail with another link has taken its place")
    url = f"{desk.rules.public_url}{SIGNING_PATH}{token}"
    return _Outgoing(notice, content.with_link(url), letter)


async def _sent(desk: PortDesk, messenger: PortMessenger, outgoing: _Outgoing) -> Receipt:
    notice, content = outgoing.notice, outgoing.content
    if outgoing.problem is not None:
        return Refused(outgoing.problem)
    try:
        if content is None:
            async with desk.database.tenant(notice.org_id) as session:
                return await messenger.post(
                    session, notice.org_id, notice.recipient, notice.content
                )
        files = [await read_whole(desk.documents, each.stored_key) for each in content.attachments]
        return await messenger.mail(notice.recipient, notice.message_id, content, files)
    except DocumentMissing:
        return Refused("what was to be attached is stored no more")
    except DocumentStoreError:
        return Failed("the document store cannot be reached")
    except Exception as error:
        # A recipient that nobody foresaw must not keep the order's other messages waiting. The words
        # of the error stay unsaid: they may hold an address or a link.
        fault = type(error).__name__
        _log.error("a notice could not be sent", notice_id=notice.id, reason=fault)
        return Failed(f"a fault of ours while it was sent: {fault}")


async def _note(session: AsyncSession, notice: PortNotice, receipt: Receipt, now: datetime) -> bool:
    """Write down what became of it; false when somebody else had taken the message over."""
    if isinstance(receipt, Delivered):
        return await port_notices.sent(session, notice, now=now)
    again = None
    if isinstance(receipt, Failed):
        again = next_attempt(
            created_at=notice.created_at,
            attempts=notice.attempts,
            now=now,
            retry_after=receipt.retry_after,
        )
    if again is None:
        return await port_notices.given_up(session, notice, error=receipt.reason, now=now)
    return await port_notices.failed(session, notice, error=receipt.reason, next_at=again)


async def _trail(session: AsyncSession, outgoing: _Outgoing, now: datetime) -> None:
    """Add to the record of the signature that a mail about its letter went out."""
    content, letter = outgoing.content, outgoing.letter
    if content is None or content.trail is None or letter is None:
        return
    event = TrailEvent(
        action=content.trail,
        at=now,
        actor="system",
        email=outgoing.notice.recipient,
        document_before=letter.unsigned_sha256,
        document_after=letter.signed_sha256 or "",
    )
    await port_signatures.append(session, letter.id, event)
