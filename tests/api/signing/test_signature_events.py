"""The webhook of an outside signature service: genuine, fresh, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from standardwebhooks import Webhook

from api.routes.port_signature_events import MAX_BODY_BYTES
from storage import port_documents
from storage.ids import new_id
from storage.port_documents import NewDocument
from tests.api.signing.letters import SECRET, Desk, Waiting

pytestmark = pytest.mark.postgres


def url(waiting: Waiting) -> str:
    return f"/v1/sip/port/{waiting.order_id}/signature-events"


def headers(
    body: str, *, message_id: str = "evt_1", ago: int = 0, secret: str = SECRET
) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
        "content-type": "application/json",
    }


async def told(
    client: httpx.AsyncClient, waiting: Waiting, type_: str, message_id: str = "evt_1", **data: Any
) -> httpx.Response:
    body = json.dumps({"type": type_, "data": data, "signed_document_url": "http://127.0.0.1/x"})
    return await client.post(
        url(waiting), content=body, headers=headers(body, message_id=message_id)
    )


async def test_a_signed_letter_is_noted_and_told_once(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    document = NewDocument(
        id=new_id("doc"),
        org_id=desk.org_id,
        media_type="application/pdf",
        size=3,
        sha256="ab" * 32,
        name="signed.pdf",
        kind="loa",
        stored_key="documents/signed.pdf",
        created_at=datetime.now(UTC),
    )
    async with desk.database.tenant(desk.org_id) as session:
        await port_documents.add(session, document, max_files=9, max_size=99)
    answers = [
        await told(client, waiting, "loa_signed", document_id=document.id, signer_name="Jané \x00")
        for _ in range(2)
    ]

    assert [each.json()["data"] for each in answers] == [
        {"accepted": True, "duplicate": False, "letter": 1},
        {"accepted": True, "duplicate": True, "letter": 1},
    ]
    loa = await desk.loa(waiting)
    assert (loa.signed_key, loa.signed_sha256) == ("documents/signed.pdf", "ab" * 32)
    assert [each["fact"] for each in await desk.facts(waiting.order_id)] == ["loa_signed"]
    assert await desk.actions(waiting) == ["signed"]
    assert (await client.get(waiting.page)).status_code == 410
    late = await told(client, waiting, "loa_declined", "evt_2")
    assert late.status_code == 409
    assert late.json()["errors"][0]["error"] == "LETTER_NOT_OPEN"
    again = await told(client, waiting, "loa_signed", "evt_3")
    assert again.status_code == 409


async def test_a_letter_that_was_declined_is_told(client: httpx.AsyncClient, desk: Desk) -> None:
    waiting = await desk.order()
    answer = await told(client, waiting, "loa_declined", letter=1, reason="Wrong address")

    assert answer.status_code == 200
    assert [each["fact"] for each in await desk.facts(waiting.order_id)] == ["loa_declined"]
    assert "Wrong address" in (await desk.trail(waiting))[-1].event.note


async def test_without_its_pdf_the_letter_stands_for_itself(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    assert (await told(client, waiting, "loa_signed")).status_code == 200
    loa = await desk.loa(waiting)
    assert loa.signed_sha256 == loa.unsigned_sha256
    assert "was not handed over" in (await desk.trail(waiting))[-1].event.note


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"document_id": "doc_x"}, "data.document_id"),
        ({"letter": 7}, "data.letter"),
        ({"letter": "x"}, "data.letter"),
    ],
)
async def test_what_is_wrong_is_named(
    client: httpx.AsyncClient, desk: Desk, data: dict[str, Any], field: str
) -> None:
    waiting = await desk.order()
    answer = await told(client, waiting, "loa_signed", **data)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert await desk.facts(waiting.order_id) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ago": 400},
        {"ago": -400},
        {"secret": "whsec_" + "QUJD" * 8},
        {"message_id": "evt.1"},
    ],
)
async def test_what_is_not_genuine_or_not_fresh_is_refused(
    client: httpx.AsyncClient, desk: Desk, changes: dict[str, Any]
) -> None:
    waiting = await desk.order()
    body = json.dumps({"type": "loa_signed"})
    answer = await client.post(url(waiting), content=body, headers=headers(body, **changes))

    assert answer.status_code == 401
    assert await desk.facts(waiting.order_id) == []


async def test_nothing_is_parsed_before_the_signature_was_checked(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    for path in (url(waiting), f"/v1/sip/port/{new_id('port')}/signature-events"):
        answer = await client.post(path, content=b"{", headers=headers("{}"))
        assert answer.status_code == 401
        assert (await client.post(path, content=b"{")).status_code == 401
    signed = await client.post(url(waiting), content="{", headers=headers("{"))
    assert signed.status_code == 400
    body = json.dumps({"type": "loa_signed"})
    for order_id in (new_id("port"), "port_1"):
        path = f"/v1/sip/port/{order_id}/signature-events"
        answer = await client.post(path, content=body, headers=headers(body))
        assert answer.status_code == 404


async def test_a_body_that_is_too_large_is_not_read_on(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    answer = await client.post(url(waiting), content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(("secret", "status"), [(None, 404), (SecretStr("whsec_%"), 503)])
async def test_without_a_secret_there_is_no_such_route(
    client: httpx.AsyncClient, app: FastAPI, desk: Desk, secret: SecretStr | None, status: int
) -> None:
    waiting = await desk.order()
    state = app.state.trunkline
    changed = state.settings.model_copy(update={"signature_webhook_secret": secret})
    app.state.trunkline = replace(state, settings=changed)

    assert (await told(client, waiting, "loa_signed")).status_code == status
