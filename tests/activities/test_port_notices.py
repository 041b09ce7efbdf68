"""Messages about an order: each once, to whom it is for, however often it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.base import Failed
from domain.porting.events import FactKind
from domain.porting.signature_trail import SignatureAction
from storage import port_letters, port_signatures
from storage.engine import Database
from storage.secret_box import SecretBox
from storage.tables import NoticeState
from tests.activities.port_life import PortLife
from tests.storage.alert_rows import name_recipients

pytestmark = pytest.mark.postgres

ONE = "+12025550101"

Place = Callable[..., Awaitable[PortLife]]


@pytest.fixture
def place(database: Database, tmp_path: Path, box: SecretBox) -> Place:
    """Places an order whose letter waits for its signature."""

    async def placed(*numbers: str, **options: Any) -> PortLife:
        life = await PortLife.of(database, tmp_path, box, *numbers, **options)
        await life.begin()
        return life

    return placed


async def test_the_link_is_mailed_to_the_signer_alone_and_stored_nowhere(place: Place) -> None:
    life = await place(ONE)
    assert await life.send() > 0
    [(mailbox, mail)] = [each for each in life.outbox.mails if "/sign/link/" in each[1].text]
    assert mailbox == "jane@acme.example"
    token = mail.text.split("/sign/link/")[1].split()[0]
    assert len(token) == 43
    stored = [each.content for each in await life.notices()]
    assert all(token not in str(content) for content in stored)
    assert await life.send() == 0
    async with life.database.tenant(life.org_id) as session:
        letter = await port_letters.newest(session, life.order_id)
        assert letter is not None
        trail = await port_signatures.trail(session, letter.id)
    assert [each.event.action for each in trail] == [SignatureAction.LINK_SENT]


async def test_a_mail_that_fails_is_sent_again_with_the_same_link(place: Place) -> None:
    life = await place(ONE)
    life.outbox.receipts = [Failed("busy")] * 10
    await life.send()
    first = [mail.text for _, mail in life.outbox.mails if "/sign/link/" in mail.text]
    life.outbox.receipts = []
    life.now += timedelta(seconds=5)
    await life.send()
    again = [mail.text for _, mail in life.outbox.mails if "/sign/link/" in mail.text]
    assert again == first * 2
    assert {each.state for each in await life.notices()} == {NoticeState.SENT}


async def test_a_link_that_another_mail_replaced_is_not_sent_any_more(place: Place) -> None:
    life = await place(ONE)
    await life.told(FactKind.LINK_RESENT)
    await life.sign()
    await life.send()
    assert not [mail for _, mail in life.outbox.mails if "/sign/link/" in mail.text]
    ended = [each for each in await life.notices() if each.state is NoticeState.GIVEN_UP]
    assert len(ended) == 2


async def test_a_message_that_nobody_foresaw_keeps_no_other_waiting(place: Place) -> None:
    life = await place(ONE)
    life.outbox.breaks = True
    due = await life.send()
    assert due > 1
    assert {each.state for each in await life.notices()} == {NoticeState.PENDING}


async def test_webhooks_hear_of_transitions_and_not_of_links(place: Place) -> None:
    life = await place(ONE)
    await name_recipients(
        life.database, life.org_id, webhooks=[{"id": "whk_1", "url": "https://hook.example"}]
    )
    await life.sign()
    await life.told(FactKind.LINK_RESENT)
    await life.send()
    heard = sorted(str(each["type"]) for each in life.outbox.events)
    assert heard == ["port.lsr_sent", "port.submitting"]
