"""The delivery log of alerts and trials: messages, whom they went to, and how they fared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.alerts import AlertMessageView, AttemptView
from domain.alert_notices import NoticeType
from domain.alert_picture import ChannelKind
from domain.alert_recipients import masked_recipient
from storage import alert_deliveries
from storage.tables import AlertAttempt, AlertDelivery, DeliveryState

__all__ = ["SHOWN_ATTEMPTS", "message_views"]

SHOWN_ATTEMPTS: Final = 20
"""Of each message: whoever is down for a day meets a hundred of them, each with the same words."""


async def message_views(
    session: AsyncSession, messages: Sequence[AlertDelivery]
) -> list[AlertMessageView]:
    """The messages with their latest attempts, in the order given."""
    attempts = await alert_deliveries.attempts_of(
        session, [each.id for each in messages], latest=SHOWN_ATTEMPTS
    )
    return [_view(each, attempts[each.id]) for each in messages]


def _view(message: AlertDelivery, attempts: Sequence[AlertAttempt]) -> AlertMessageView:
    channel = ChannelKind(message.channel)
    return AlertMessageView(
        message_id=message.id,
        channel=channel,
        recipient=masked_recipient(channel, message.recipient),
        notice=NoticeType(message.notice),
        state=message.state,
        created_at=message.created_at,
        ended_at=message.ended_at,
        next_attempt_at=message.next_at if message.state is DeliveryState.PENDING else None,
        attempts_total=message.attempts,
        attempts=[
            AttemptView(at=each.at, delivered=each.delivered, ms=each.ms, detail=each.detail)
            for each in attempts
        ],
    )
