"""Who is told of an organization's alerts, and who of them could not be."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.alert_picture import ChannelKind, FailingRecipient, Recipients

__all__ = ["failing_of", "how_many"]


async def how_many(session: AsyncSession, org_id: str) -> Recipients:
    """How many the organization names for each channel."""
    counted = (await session.execute(_COUNTED, {"org_id": org_id})).one()
    return Recipients(emails=counted.emails, phones=counted.phones, webhooks=counted.webhooks)


async def failing_of(
    session: AsyncSession, org_id: str, own: Collection[str]
) -> tuple[FailingRecipient, ...]:
    """Recipients whose last message was given up.

    Who is no recipient any more is not missed; ``own`` are the route keys of the webhooks that trunks
    name themselves (``domain.alert_notices.webhook_key``).
    """
    found = await session.execute(_FAILING, {"org_id": org_id, "own": sorted(own)})
    return tuple([_failing(row) for row in found])


def _failing(row: Row[Any]) -> FailingRecipient:
    return FailingRecipient(
        channel=ChannelKind(row.channel),
        key=row.who.removeprefix("webhook:"),
        label=row.label,
        since=row.ended_at,
        error=row.last_error or "",
    )


_COUNTED = text(
    """
    SELECT cardinality(alert_emails) AS emails, cardinality(alert_phones) AS phones,
           jsonb_array_length(webhook_endpoints) AS webhooks
      FROM organizations WHERE id = :org_id
    """
)

# Several trunks may name one webhook, so it is known by its route and not by a trunk.
_FAILING = text(
    """
    WITH ended AS (
        SELECT d.id, d.org_id, d.channel, d.route_key, d.recipient, d.state, d.ended_at, d.last_error,
               d.channel = 'webhook' AND d.route_key LIKE 'webhook:%' AS is_own,
               CASE WHEN d.channel = 'webhook' AND d.route_key LIKE 'webhook:%' THEN d.route_key
                    ELSE d.recipient END AS who
          FROM alert_deliveries d
         WHERE d.org_id = :org_id AND d.state <> 'pending'
    ), last AS (
        SELECT DISTINCT ON (e.channel, e.who) e.*
          FROM ended e JOIN organizations o ON o.id = e.org_id
         WHERE CASE WHEN e.channel = 'email' THEN e.recipient = ANY (o.alert_emails)
                    WHEN e.channel = 'sms' THEN e.recipient = ANY (o.alert_phones)
                    WHEN e.is_own THEN e.route_key = ANY (CAST(:own AS text[]))
                    ELSE jsonb_path_exists(o.webhook_endpoints, '$[*] ? (@.id == $id)',
                                           jsonb_build_object('id', e.recipient)) END
         ORDER BY e.channel, e.who, e.ended_at DESC, e.id DESC
    )
    SELECT channel, who, ended_at, last_error,
           CASE WHEN channel = 'email'
                THEN left(recipient, 1) || '***@' || split_part(recipient, '@', 2)
                WHEN channel = 'sms' THEN 'the number ending in ' || right(recipient, 4)
                WHEN is_own THEN 'the webhook of the trunk ' || recipient
                ELSE 'the webhook ' || recipient END AS label
      FROM last
     WHERE state = 'given_up'
     ORDER BY channel, who
    """
)
