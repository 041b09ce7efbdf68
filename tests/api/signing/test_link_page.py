"""The page behind a link: opening it signs nothing, and it keeps the link to itself."""

from __future__ import annotations

import io

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from domain.porting import signature_views
from domain.porting.words import SubStatus
from settings import Settings
from storage.ids import new_id
from tests.api.signing.letters import Desk

pytestmark = pytest.mark.postgres


async def test_opening_a_page_signs_nothing_and_uses_nothing_up(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    paths = ["", "/document.pdf", "/done", "/sign", "/decline", "/signed.pdf"]
    answers = {path: await client.get(waiting.page + path) for path in paths * 2}

    assert {path: each.status_code for path, each in answers.items()} == {
        "": 200,
        "/document.pdf": 200,
        "/done": 410,
        "/sign": 405,
        "/decline": 405,
        "/signed.pdf": 410,
    }
    loa = await desk.loa(waiting)
    assert loa.signed_at is loa.declined_at is None
    assert await desk.facts(waiting.order_id) == []
    assert (await client.get(waiting.page)).status_code == 200
    assert await desk.actions(waiting) == ["link_opened", "disclosure_shown", "document_viewed"]


async def test_the_page_shows_the_letter_and_what_to_know_before(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    page = (await client.get(waiting.page)).text

    for said in (
        "Acme, Inc.",
        "Jané Döe",
        waiting.loa.unsigned_sha256,
        "You may sign on paper instead",
        "I intend to sign this letter.",
        f'href="{waiting.page}/document.pdf"',
        f'action="{waiting.page}/sign"',
        f'action="{waiting.page}/decline"',
    ):
        assert said in page
    document = await client.get(f"{waiting.page}/document.pdf")
    assert document.headers["content-type"] == "application/pdf"
    assert document.headers["content-disposition"].startswith("inline")
    assert document.content.startswith(b"%PDF")


async def test_pages_keep_the_link_to_themselves(
    client: httpx.AsyncClient, desk: Desk, log: io.StringIO
) -> None:
    waiting = await desk.order()
    gone = f"/sign/link/{'x' * 43}"
    paths = [waiting.page, f"{waiting.page}/document.pdf", gone, f"/sign/{waiting.order_id}"]
    for path in paths:
        answer = await client.get(path)
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "noindex" in headers["x-robots-tag"]
        assert "set-cookie" not in headers
        if "html" in headers["content-type"]:
            assert "unsafe-inline" not in policy
            assert "style=" not in answer.text
            assert "<script>" not in answer.text
    assert waiting.token not in log.getvalue()


async def test_styles_and_the_script_are_our_own(client: httpx.AsyncClient) -> None:
    for name, kind in (("sign.css", "text/css"), ("sign.js", "text/javascript")):
        answer = await client.get(f"/sign/assets/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
    assert (await client.get("/sign/assets/pages.py")).status_code == 404


@pytest.mark.parametrize("token", ["x", "x" * 43, "%2e%2e", "A" * 1500, "é" * 43])
async def test_an_unknown_link_leads_nowhere(client: httpx.AsyncClient, token: str) -> None:
    for path in ("", "/document.pdf", "/done", "/signed.pdf"):
        answer = await client.get(f"/sign/link/{token}{path}")
        assert answer.status_code == 404
        assert "There is nothing at this address" in answer.text
    for path in ("sign", "decline"):
        answer = await client.post(f"/sign/link/{token}/{path}", data={"proof": "x"})
        assert answer.status_code == 404


async def test_while_the_database_is_away_a_page_says_so(settings: Settings) -> None:
    away = settings.model_copy(
        update={"database_url": SecretStr("postgresql://nobody@127.0.0.1:1/nothing")}
    )
    transport = httpx.ASGITransport(app=create_app(away))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        for path in (f"/sign/{new_id('port')}", f"/sign/link/{'x' * 43}"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert "Try again in a minute" in answer.text


async def test_a_link_that_is_too_old_says_how_to_get_another(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order(days=30, ago=31)
    page = await client.get(waiting.page)

    assert page.status_code == 410
    assert "This link has expired" in page.text
    assert f'action="/sign/{waiting.order_id}/link"' in page.text
    answer = await client.post(f"{waiting.page}/sign", data={"proof": "x"})
    assert answer.status_code == 410
    assert await desk.trail(waiting) == []


async def test_a_newer_link_takes_the_place_of_the_one_before(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    newer = await desk.link(waiting.loa)

    old = await client.get(waiting.page)
    assert old.status_code == 410
    assert "A newer link was mailed" in old.text
    assert (await client.get(f"/sign/link/{newer}")).status_code == 200


async def test_a_mail_that_is_sent_again_has_the_same_link(desk: Desk) -> None:
    waiting = await desk.order()
    notice = new_id("ntc")
    first = await desk.link(waiting.loa, notice_id=notice)

    assert await desk.link(waiting.loa, notice_id=notice) == first
    newer = await desk.link(waiting.loa)
    assert newer != first
    with pytest.raises(AssertionError):
        await desk.link(waiting.loa, notice_id=notice)


async def test_a_link_to_a_letter_of_an_order_that_ended_says_so(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    await desk.move(waiting.order_id, SubStatus.EXPIRED)
    page = await client.get(waiting.page)

    assert page.status_code == 410
    assert "No signature is needed any more" in page.text


async def test_visits_do_not_fill_the_record(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signature_views, "VISITS_AT_MOST", 5)
    waiting = await desk.order()
    for visit in range(8):
        await client.get(waiting.page, headers={"User-Agent": f"scanner {visit}"})

    assert len(await desk.trail(waiting)) == 5
