"""The ways by which messages about port orders leave: the operator's mail server, signed webhooks."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from activities.alert_channels import SIGNING_SECRET, AlertChannels
from channels.base import Failed, Receipt, Refused
from channels.http import MAX_REDIRECTS, receipt_of
from channels.webhook import InvalidSecret, signed_headers
from domain.porting.messages import MailContent
from storage import organizations
from storage.secret_box import SecretBox, SecretBoxError
from storage.tables import Organization

__all__ = ["PortChannels"]


class PortChannels:
    """See ``activities.port_sending.PortMessenger``. They are the ways of alerts."""

    def __init__(self, channels: AlertChannels, secret_box: SecretBox) -> None:
        self._email = channels.email
        self._http = channels.http
        self._secret_box = secret_box

    async def mail(
        self, recipient: str, message_id: str, content: MailContent, files: Sequence[bytes]
    ) -> Receipt:
        """Send a mail to one mailbox; ``files`` are the contents of its attachments."""
        if self._email is None:
            return Failed("no mail server is configured: set TRUNKLINE_SMTP_HOST")
        mail = self._email.addressed(content.subject, recipient, message_id)
        mail.set_content(content.text)
        if content.html:
            mail.add_alternative(content.html, subtype="html")
        for each, file in zip(content.attachments, files, strict=True):
            main, _, sub = each.media_type.partition("/")
            mail.add_attachment(file, maintype=main, subtype=sub, filename=each.name)
        return await self._email.hand_over(mail, recipient)

    async def post(
        self, session: AsyncSession, org_id: str, endpoint_id: str, event: Mapping[str, Any]
    ) -> Receipt:
        """Post an event; redirects that keep the method are followed, behind the address guard."""
        organization = await organizations.get(session, org_id)
        url = None if organization is None else _url_of(organization, endpoint_id)
        if organization is None or url is None:
            return Refused("the webhook is configured no longer")
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            secrets = self._secrets(organization)
            headers = signed_headers(str(event["id"]), body, secrets, int(time.time()))
        except SecretBoxError:
            return Refused("the signing secret cannot be read: rotate it")
        except InvalidSecret:
            return Refused("there is no signing secret: create one, webhooks are signed with it")
        answer = await self._http.post(url, body, headers, redirects=MAX_REDIRECTS)
        if isinstance(answer, Refused | Failed):
            return answer
        return receipt_of(answer, is_final=False)

    def _secrets(self, organization: Organization) -> tuple[str, ...]:
        sealed = organization.signing_secret_sealed
        if sealed is None:
            return ()
        opened = self._secret_box.open(sealed, purpose=SIGNING_SECRET, org_id=organization.id)
        return (opened.decode(),)


def _url_of(organization: Organization, endpoint_id: str) -> str | None:
    for endpoint in organization.webhook_endpoints:
        if endpoint["id"] == endpoint_id:
            return str(endpoint["url"])
    return None
