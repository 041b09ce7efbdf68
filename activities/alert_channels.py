"""Which channel takes a message, and to whom: from a delivery's row to an attempt."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Failed, Receipt, Refused
from channels.email import EmailChannel, SmtpSecurity, SmtpServer
from channels.http import HttpSender
from channels.pagerduty import PagerDutyChannel
from channels.slack import SlackChannel
from channels.sms import SmsChannel, TwilioAccount, TwilioMessages
from channels.webhook import WebhookChannel, WebhookRecipient
from domain.alert_messages import ALERT_MESSAGE, AlertMessage
from domain.alert_picture import ChannelKind
from settings import Settings
from sip.net.guard import AddressGuard
from storage import organizations, trunks
from storage.secret_box import SecretBox, SecretBoxError
from storage.tables import AlertDelivery, Organization

__all__ = ["SIGNING_SECRET", "Addressed", "AlertChannels"]

SIGNING_SECRET: Final = "signing_secret"
"""Purpose under which the secret that signs webhooks is sealed."""

_NO_GATEWAY: Final = (
    "no SMS gateway is configured: set TRUNKLINE_TWILIO_ACCOUNT_SID, TRUNKLINE_TWILIO_PASSWORD and"
    " TRUNKLINE_TWILIO_SENDER"
)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message with all that sending it takes; ``problem`` says why it cannot be sent."""

    channel: ChannelKind
    message: AlertMessage
    to: str = ""
    format: str = "standard"
    secrets: tuple[str, ...] = ()
    problem: str | None = None


class AlertChannels:
    """The operator's channels, as the settings have them. ``email`` is ``None`` without a mail server."""

    def __init__(self, settings: Settings, guard: AddressGuard, secret_box: SecretBox) -> None:
        self._secret_box = secret_box
        tls = ssl.create_default_context()
        if settings.tls_ca_file is not None:
            tls.load_verify_locations(cafile=settings.tls_ca_file)
        self.tls = tls
        http = HttpSender(guard, user_agent=settings.user_agent, tls=tls)
        self.http = http
        self._webhooks = WebhookChannel(http)
        self._slack = SlackChannel(http)
        self.email = _email(settings, tls)
        self._sms = _sms(settings, http)

    async def address(self, session: AsyncSession, delivery: AlertDelivery) -> Addressed:
        """Read what the row only names; nothing is sent."""
        channel = ChannelKind(delivery.channel)
        message = ALERT_MESSAGE.validate_python(delivery.event)
        organization = await organizations.get(session, delivery.org_id)
        if organization is None:
            return Addressed(channel, message, problem="the organization is gone")
        if channel is not ChannelKind.WEBHOOK:
            listed = {
                ChannelKind.EMAIL: organization.alert_emails,
                ChannelKind.SMS: organization.alert_phones,
            }
            removed = "the organization names this recipient no longer"
            problem = None if delivery.recipient in listed[channel] else removed
            return Addressed(channel, message, delivery.recipient, problem=problem)
        url, form = await self._webhook(session, organization, delivery.recipient)
        if url is None:
            return Addressed(channel, message, problem="the webhook is configured no longer")
        try:
            secrets = self._secrets(organization)
        except SecretBoxError:
            return Addressed(
                channel, message, problem="the signing secret cannot be read: rotate it"
            )
        if form == "standard" and not secrets:
            problem = "there is no signing secret: create one, webhooks are signed with it"
            return Addressed(channel, message, problem=problem)
        return Addressed(channel, message, url, form, secrets)

    async def send(self, addressed: Addressed) -> Receipt:
        """Try once. Raises nothing but bugs."""
        if addressed.problem is not None:
            return Refused(addressed.problem)
        match addressed.channel:
            case ChannelKind.EMAIL:
                if self.email is None:
                    return Failed("no mail server is configured: set TRUNKLINE_SMTP_HOST")
                return await self.email.send(addressed.message, addressed.to)
            case ChannelKind.SMS:
                if self._sms is None:
                    return Failed(_NO_GATEWAY)
                return await self._sms.send(addressed.message, addressed.to)
            case ChannelKind.WEBHOOK:
                return await self._post(addressed)

    async def _post(self, addressed: Addressed) -> Receipt:
        if addressed.format == "slack":
            return await self._slack.send(addressed.message, addressed.to)
        if addressed.format == "pagerduty":
            url = httpx.URL(addressed.to)
            [routing_key] = parse_qs(url.query.decode()).get("routing_key", [""])[:1]
            channel = PagerDutyChannel(self.http, str(url.copy_with(query=None)))
            return await channel.send(addressed.message, routing_key)
        recipient = WebhookRecipient(addressed.to, addressed.secrets)
        return await self._webhooks.send(addressed.message, recipient)

    async def _webhook(
        self, session: AsyncSession, organization: Organization, recipient: str
    ) -> tuple[str | None, str]:
        """URL and format of a webhook: the organization's by its id, or a trunk's own."""
        if recipient.startswith("trk_"):
            trunk = await trunks.get(session, organization.id, recipient)
            config = None if trunk is None else trunks.profile_of(trunk).alerts
            url = None if config is None else config.channels.webhook
            return (url if isinstance(url, str) else None), "standard"
        for endpoint in organization.webhook_endpoints:
            if endpoint["id"] == recipient:
                return str(endpoint["url"]), str(endpoint.get("format", "standard"))
        return None, "standard"

    def _secrets(self, organization: Organization) -> tuple[str, ...]:
        sealed = organization.signing_secret_sealed
        if sealed is None:
            return ()
        opened = self._secret_box.open(sealed, purpose=SIGNING_SECRET, org_id=organization.id)
        return (opened.decode(),)


def _email(settings: Settings, tls: ssl.SSLContext) -> EmailChannel | None:
    if settings.smtp_host is None:
        return None
    password = settings.smtp_password
    server = SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_sender,
        security=SmtpSecurity(settings.smtp_security),
        user=settings.smtp_user,
        password=None if password is None else password.get_secret_value(),
    )
    return EmailChannel(server, tls=tls)


def _sms(settings: Settings, http: HttpSender) -> SmsChannel | None:
    sid, password, sender = (
        settings.twilio_account_sid,
        settings.twilio_password,
        settings.twilio_sender,
    )
    if sid is None or password is None or sender is None:
        return None
    account = TwilioAccount(
        account_sid=sid,
        user=settings.twilio_user or sid,
        password=password.get_secret_value(),
        sender=sender,
    )
    return SmsChannel(TwilioMessages(http, account, settings.twilio_url))
