"""Messages by every other way, what is said when one is not there, and secrets that stay secret."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from activities.alert_channels import AlertChannels
from lab.certificates import Authority
from settings import Settings
from sip.net.guard import AddressGuard
from storage.engine import Database
from storage.secret_box import SecretBox
from storage.tables import AlertDelivery, DeliveryState
from tests.activities.alert_desk import AlertDesk
from tests.channels.receivers import Receiver, answering
from tests.storage.alert_rows import MAIL, PHONE, name_recipients
from tests.support.loopback import LoopbackBlock
from tests.support.mail_server import MailServer, run_mail_server

pytestmark = pytest.mark.postgres


@pytest.fixture
async def mail(loopback: LoopbackBlock) -> AsyncIterator[MailServer]:
    async with run_mail_server(loopback.address()) as opened:
        yield opened


def with_mail(settings: Settings, server: MailServer) -> Settings:
    return settings.model_copy(
        update={
            "smtp_host": server.address,
            "smtp_port": server.port,
            "smtp_security": "none",
            "smtp_sender": "alerts@trunkline.example",
        }
    )


@pytest.fixture
async def mailed(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox, mail: MailServer
) -> AlertDesk:
    """Alerts go to one person by mail."""
    desk = await AlertDesk.of(database, with_mail(settings, mail), guard, box, {"email": True})
    await name_recipients(database, desk.org_id, emails=[MAIL])
    return desk


async def test_a_person_who_was_removed_meanwhile_gets_nothing(
    mailed: AlertDesk, mail: MailServer, database: Database
) -> None:
    [due] = (await mailed.look(await mailed.alert())).due
    await name_recipients(database, mailed.org_id, phones=[MAIL])
    message = await mailed.deliver(due)
    assert (message.state, mail.taken) == (DeliveryState.GIVEN_UP, [])
    assert message.last_error == "the organization names this recipient no longer"


async def test_slack_needs_no_signature_and_its_url_appears_nowhere(
    hooked: AlertDesk, hook: Receiver, database: Database, log: io.StringIO
) -> None:
    hook.answer = answering(404, body=b"no_service")
    secret = "/services/T000/B000/XXXXSECRET"
    url = hook.url(path=secret)
    endpoint = {"id": "whk_1", "url": url, "format": "slack"}
    await name_recipients(database, hooked.org_id, webhooks=[endpoint])
    message = await hooked.told(await hooked.alert())
    assert message.last_error == "HTTP 404: no_service"
    [request] = hook.requests
    assert request.line.startswith(f"POST {secret} ")
    assert "blocks" in json.loads(request.body)
    assert "webhook-signature" not in request.headers
    assert "XXXXSECRET" not in await everything_about(hooked, message)
    assert "XXXXSECRET" not in log.getvalue()


async def test_pagerduty_gets_its_key_in_the_body_and_only_there(
    hooked: AlertDesk, hook: Receiver, database: Database, log: io.StringIO
) -> None:
    hook.answer = answering(400)
    url = hook.url(path="/v2/enqueue?routing_key=0123456789abcdef0123456789abcdef")
    endpoint = {"id": "whk_1", "url": url, "format": "pagerduty"}
    await name_recipients(database, hooked.org_id, webhooks=[endpoint])
    message = await hooked.told(await hooked.alert())
    [request] = hook.requests
    assert request.line.startswith("POST /v2/enqueue HTTP")
    body = json.loads(request.body)
    assert body["routing_key"] == "0123456789abcdef0123456789abcdef"
    assert body["event_action"] == "trigger"
    assert "0123456789abcdef" not in await everything_about(hooked, message)
    assert "0123456789abcdef" not in log.getvalue()


async def everything_about(desk: AlertDesk, message: AlertDelivery) -> str:
    """A message and its attempts as text."""
    attempts = await desk.attempts(message)
    return "\n".join(str(each.model_dump()) for each in (message, *attempts))


async def test_a_mail_reaches_its_recipient(mailed: AlertDesk, mail: MailServer) -> None:
    message = await mailed.told(await mailed.alert())
    assert (message.state, message.last_error) == (DeliveryState.DELIVERED, None)
    [(to, written)] = mail.taken
    assert (to, written["From"]) == (MAIL, "alerts@trunkline.example")
    assert written["Message-ID"] == f"<{message.event['id']}@trunkline.example>"


async def test_a_mail_server_that_refuses_is_asked_again_or_not_by_what_it_says(
    mailed: AlertDesk, mail: MailServer
) -> None:
    mail.says = f"451 not now, {MAIL}"
    message = await mailed.told(await mailed.alert())
    assert (message.state, message.last_error) == (DeliveryState.PENDING, "451 not now, ***")
    mail.says = "554 never"
    message = await mailed.deliver(message.id)
    assert (message.state, message.last_error) == (DeliveryState.GIVEN_UP, "554 never")


async def test_an_operator_who_configured_no_channel_is_told_what_to_set(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox
) -> None:
    unfinished = settings.model_copy(update={"twilio_account_sid": "AC1"})
    desk = await AlertDesk.of(database, unfinished, guard, box, {"email": True, "sms": True})
    await name_recipients(database, desk.org_id, emails=[MAIL], phones=[PHONE])
    said = {}
    for due in (await desk.look(await desk.alert())).due:
        message = await desk.deliver(due)
        # Once it is set, it goes out.
        assert message.state is DeliveryState.PENDING
        said[message.channel.value] = message.last_error
    assert said == {
        "email": "no mail server is configured: set TRUNKLINE_SMTP_HOST",
        "sms": "no SMS gateway is configured: set TRUNKLINE_TWILIO_ACCOUNT_SID,"
        " TRUNKLINE_TWILIO_PASSWORD and TRUNKLINE_TWILIO_SENDER",
    }


async def test_a_text_message_goes_through_the_gateway_without_its_password_anywhere(
    database: Database,
    settings: Settings,
    guard: AddressGuard,
    box: SecretBox,
    hook: Receiver,
    log: io.StringIO,
) -> None:
    hook.answer = answering(
        401, body=json.dumps({"code": 20003, "message": f"no {PHONE}"}).encode()
    )
    gateway = settings.model_copy(
        update={
            "twilio_account_sid": "AC1",
            "twilio_password": SecretStr("hunter2"),
            "twilio_sender": "+15005550006",
            "twilio_url": hook.url(path=""),
        }
    )
    desk = await AlertDesk.of(database, gateway, guard, box, {"sms": True})
    await name_recipients(database, desk.org_id, phones=[PHONE])
    message = await desk.told(await desk.alert())
    assert message.state is DeliveryState.PENDING
    assert message.last_error == "Twilio error 20003: no ***"
    [request] = hook.requests
    assert request.headers["authorization"] == f"Basic {base64.b64encode(b'AC1:hunter2').decode()}"
    assert b"%2B14155550100" in request.body
    assert "hunter2" not in f"{await everything_about(desk, message)}{log.getvalue()}"


async def test_a_recipient_that_nobody_foresaw_keeps_nothing_else_waiting(
    hooked: AlertDesk, database: Database, log: io.StringIO
) -> None:
    url = "http://[::1/XXXXSECRET?routing_key=x"
    endpoint = {"id": "whk_1", "url": url, "format": "pagerduty"}
    await name_recipients(database, hooked.org_id, webhooks=[endpoint])
    message = await hooked.told(await hooked.alert())
    assert message.state is DeliveryState.PENDING
    assert message.last_error == "a fault of ours while it was sent: InvalidURL"
    assert message.id in log.getvalue()
    assert "XXXXSECRET" not in log.getvalue()


async def test_authorities_of_the_operator_are_trusted_beside_the_systems(
    settings: Settings,
    guard: AddressGuard,
    box: SecretBox,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    authority = Authority.open(tmp_path_factory.mktemp("authority"))
    own = settings.model_copy(update={"tls_ca_file": str(authority.ca_file)})
    alone, beside = (
        len(AlertChannels(each, guard, box).tls.get_ca_certs()) for each in (settings, own)
    )
    assert beside == alone + 1
