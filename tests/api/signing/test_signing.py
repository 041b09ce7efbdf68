"""Signing: by who has the link, on the page that was shown, once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from domain.porting import signature_links
from domain.porting.signature_trail import first_break
from domain.porting.words import SubStatus
from papers.loa_seal import verify
from settings import Settings
from tests.api.signing.letters import Desk, Waiting, form_of, signed_form
from tests.papers.files import drawing
from tests.storage.port_rows import DETAILS, MAILBOX

pytestmark = pytest.mark.postgres


async def signed(client: httpx.AsyncClient, waiting: Waiting, **changes: str) -> httpx.Response:
    page = await client.get(waiting.page)
    return await client.post(f"{waiting.page}/sign", data=signed_form(page, **changes))


async def test_a_letter_is_signed_sealed_recorded_and_told(
    client: httpx.AsyncClient, desk: Desk, settings: Settings
) -> None:
    waiting = await desk.order()
    document = await client.get(f"{waiting.page}/document.pdf")
    answer = await signed(client, waiting)

    assert (answer.status_code, answer.headers["location"]) == (303, f"{waiting.page}/done")
    done = await client.get(answer.headers["location"])
    assert done.status_code == 200
    assert "The letter is signed" in done.text
    loa = await desk.loa(waiting)
    assert loa.signed_key is not None
    stored = (Path(settings.document_folder) / loa.signed_key).read_bytes()
    verdict = await asyncio.to_thread(verify, stored)
    assert verdict.holds
    assert verdict.letter_sha256 == waiting.loa.unsigned_sha256
    assert stored.startswith(document.content)
    assert hashlib.sha256(stored).hexdigest() == loa.signed_sha256
    assert await desk.facts(waiting.order_id) == [
        {"order_id": waiting.order_id, "fact": "loa_signed", "letter": 1}
    ]
    trail = await desk.trail(waiting)
    assert first_break(trail) is None
    assert [each.event.action.value for each in trail] == [
        "document_viewed",
        "link_opened",
        "disclosure_shown",
        "consent_given",
        "signed",
    ]
    said = trail[-1].event
    assert (said.actor, said.email, said.ip) == ("Jané Döe", MAILBOX, "127.0.0.1")
    assert said.user_agent.startswith("python-httpx")
    assert said.document_before == waiting.loa.unsigned_sha256
    assert said.disclosure_sha256 == trail[2].event.disclosure_sha256 != ""
    assert "I intend to sign this letter" in said.note


async def test_the_signer_is_mailed_a_copy_and_can_download_it(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    await signed(client, waiting)

    [notice] = await desk.notices(waiting.order_id)
    loa = await desk.loa(waiting)
    assert notice.recipient == MAILBOX
    assert notice.content["trail"] == "copy_delivered"
    [attached] = notice.content["attachments"]
    assert (attached["stored_key"], attached["sha256"]) == (loa.signed_key, loa.signed_sha256)
    copy = await client.get(f"{waiting.page}/signed.pdf")
    assert hashlib.sha256(copy.content).hexdigest() == loa.signed_sha256
    assert copy.headers["content-disposition"].startswith("attachment")
    last = (await desk.trail(waiting))[-1].event
    assert (last.action, last.document_after) == ("downloaded", loa.signed_sha256)


async def test_a_second_post_says_that_it_is_signed(client: httpx.AsyncClient, desk: Desk) -> None:
    waiting = await desk.order()
    page = await client.get(waiting.page)
    form = signed_form(page)
    first, second = await asyncio.gather(
        *(client.post(f"{waiting.page}/sign", data=form) for _ in range(2))
    )
    third = await client.post(f"{waiting.page}/sign", data=form)

    done = f"{waiting.page}/done"
    assert [each.headers["location"] for each in (first, second, third)] == [done] * 3
    assert (await desk.actions(waiting)).count("signed") == 1
    assert len(await desk.facts(waiting.order_id)) == 1
    assert len(await desk.notices(waiting.order_id)) == 1
    again = await client.get(waiting.page)
    assert again.status_code == 410
    assert "This link was used" in again.text


async def test_a_drawn_signature_does_without_a_name(client: httpx.AsyncClient, desk: Desk) -> None:
    waiting = await desk.order()
    url = f"data:image/png;base64,{base64.b64encode(drawing()).decode()}"
    answer = await signed(client, waiting, name="", drawing=url)

    assert answer.status_code == 303
    assert (await desk.trail(waiting))[-1].event.note.startswith("drawn. ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Type your name, or draw your signature."),
        ({"name": "Somebody Else"}, "The letter is for Jané Döe."),
        ({"consent": ""}, "agree to sign electronically"),
        ({"intent": "no"}, "you intend to sign"),
        ({"drawing": "data:image/png;base64,aGVsbG8="}, "Nothing is signed yet"),
        ({"drawing": "data:text/html;base64,aGVsbG8="}, "no PNG"),
        ({"drawing": "data:image/png;base64,%%%"}, "cannot be read"),
    ],
)
async def test_a_form_with_a_mistake_signs_nothing(
    client: httpx.AsyncClient, desk: Desk, changes: dict[str, str], said: str
) -> None:
    waiting = await desk.order()
    answer = await signed(client, waiting, **changes)

    assert answer.status_code == 400
    assert said in answer.text
    assert (await desk.loa(waiting)).signed_at is None
    assert await desk.facts(waiting.order_id) == []


async def test_case_and_diacritics_of_a_name_do_not_matter(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    assert (await signed(client, waiting, name="  jane   DOE ")).status_code == 303


async def test_a_form_without_its_proof_signs_nothing(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, other = await desk.order(), await desk.order()
    theirs = form_of(await client.get(other.page))["proof"]
    page = await client.get(waiting.page)
    for proof in ("", "1.ab", theirs, form_of(page)["proof"][:-1] + "x"):
        for act in ("sign", "decline"):
            form = signed_form(page, proof=proof)
            answer = await client.post(f"{waiting.page}/{act}", data=form)
            assert answer.status_code == 400
            assert "not the one that we sent" in answer.text
    monkeypatch.setattr(signature_links, "FORM_LIFE", timedelta(seconds=-1))
    late = await client.post(f"{waiting.page}/sign", data=signed_form(page))
    assert late.status_code == 400
    assert await desk.facts(waiting.order_id) == []


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
async def test_a_form_of_another_kind_is_refused(
    client: httpx.AsyncClient, desk: Desk, kind: str
) -> None:
    waiting = await desk.order()
    answer = await client.post(
        f"{waiting.page}/sign", content=b"proof=x", headers={"content-type": kind}
    )
    assert answer.status_code == 400
    assert "another content type" in answer.text


async def test_a_letter_that_was_changed_in_the_store_is_not_signed(
    client: httpx.AsyncClient, desk: Desk, settings: Settings
) -> None:
    waiting = await desk.order()
    page = await client.get(waiting.page)
    place = Path(settings.document_folder) / waiting.loa.unsigned_key
    place.write_bytes(place.read_bytes() + b" ")
    answer = await client.post(f"{waiting.page}/sign", data=signed_form(page))

    assert answer.status_code == 500
    assert "nothing was signed" in answer.text
    place.unlink()
    answer = await client.post(f"{waiting.page}/sign", data=signed_form(page))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert (await desk.loa(waiting)).signed_at is None
    assert "signed" not in await desk.actions(waiting)


async def test_declining_ends_it_with_a_reason(client: httpx.AsyncClient, desk: Desk) -> None:
    waiting = await desk.order()
    page = await client.get(waiting.page)
    form = {**form_of(page), "reason": "The <b>wrong</b>\naddress"}
    answer = await client.post(f"{waiting.page}/decline", data=form)
    again = await client.post(f"{waiting.page}/decline", data=form)

    assert answer.headers["location"] == again.headers["location"] == f"{waiting.page}/done"
    assert "You declined to sign" in (await client.get(f"{waiting.page}/done")).text
    assert (await desk.trail(waiting))[-1].event.note == "The <b>wrong</b> address"
    assert (await desk.loa(waiting)).declined_at is not None
    assert [each["fact"] for each in await desk.facts(waiting.order_id)] == ["loa_declined"]
    late = await client.post(f"{waiting.page}/sign", data=signed_form(page))
    assert late.headers["location"] == f"{waiting.page}/done"
    assert (await client.get(f"{waiting.page}/signed.pdf")).status_code == 410


async def test_an_order_that_ended_meanwhile_is_not_signed(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    waiting = await desk.order()
    page = await client.get(waiting.page)
    await desk.move(waiting.order_id, SubStatus.CANCELED)
    answer = await client.post(f"{waiting.page}/sign", data=signed_form(page))

    assert answer.status_code == 410
    assert "No signature is needed any more" in answer.text
    assert await desk.facts(waiting.order_id) == []


async def test_names_are_text_on_every_page(client: httpx.AsyncClient, desk: Desk) -> None:
    name = '<script>alert("x")</script>'
    details = DETAILS.model_copy(
        update={"customer_name": name, "authorized_representative": f"Jane {name}"}
    )
    waiting = await desk.order(details)
    pages = [await client.get(waiting.page), await signed(client, waiting, name=name)]

    for page in pages:
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
