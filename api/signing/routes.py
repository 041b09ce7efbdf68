"""The signing pages: for people with a link, without an API key and outside of the API's document.

Opening a page signs nothing and uses nothing up: mail scanners follow links. What changes something is a
form with a proof that we served it on the very page of this link.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil

from fastapi import APIRouter, Request, Response

from api.dependencies import StateDep
from api.signing.acts import NotOpen, Signing, decline, sign
from api.signing.answers import SignForm, ended, signing_page
from api.signing.forms import drawing_of, fields_of, text_of
from api.signing.letters import OpenedLink, Standing, open_link, read_document
from api.signing.link_requests import ask_for_link, order_page
from api.signing.pages import PDF_HEADERS, asset, page, see_other
from api.signing.route import PageRoute
from api.signing.visitor import Visitor, visitor_of
from api.signing.visits import note_document, note_download, note_page
from api.state import ApiState
from domain.porting.signature_links import is_proof_of
from papers.errors import InvalidFile
from storage.trunk_vault import server_key

__all__ = ["router"]

router = APIRouter(prefix="/sign", route_class=PageRoute, include_in_schema=False)

MAX_NAME = 200
MAX_REASON = 500
"""Characters that forms take, as their fields say."""


@router.get("/assets/{name}")
async def get_asset(name: str) -> Response:
    """Style and script of the pages."""
    return asset(name) or page("unknown", status=404)


@router.get("/{order_id}")
async def get_order(state: StateDep, order_id: str) -> Response:
    """What this is about, and a button that mails the link to who may sign."""
    found = await order_page(state, order_id)
    if found is None:
        return page("unknown", status=404)
    return page("order", order=found)


@router.post("/{order_id}/link")
async def post_link_request(request: Request, state: StateDep, order_id: str) -> Response:
    """Mail a link to the authorized representative, whoever asks; the answer tells nothing."""
    visitor = _visitor(request, state)
    admission = await ask_for_link(state, order_id, visitor, datetime.now(UTC))
    if admission.admitted:
        return page("asked")
    minutes = max(1, ceil(admission.retry_after.total_seconds() / 60))
    return page(
        "too_often", status=429, headers={"Retry-After": str(minutes * 60)}, minutes=minutes
    )


@router.get("/link/{token}")
async def get_link(request: Request, state: StateDep, token: str) -> Response:
    """The letter, the disclosure, and the form to sign or to decline."""
    now = datetime.now(UTC)
    opened = await open_link(state, token, now)
    if opened is None or opened.standing is not Standing.OPEN:
        return ended(opened, token)
    await note_page(state, opened, _visitor(request, state), now)
    return signing_page(opened, token, await _key(state), now)


@router.get("/link/{token}/document.pdf")
async def get_document(request: Request, state: StateDep, token: str) -> Response:
    """The letter as it is to be signed."""
    now = datetime.now(UTC)
    opened = await open_link(state, token, now)
    if opened is None or opened.standing is not Standing.OPEN:
        return ended(opened, token)
    content = await read_document(state, opened.loa.unsigned_key, opened.loa.unsigned_sha256)
    await note_document(state, opened, _visitor(request, state), now)
    return _pdf(content, "inline", f"letter-{opened.content.document_id}.pdf")


@router.get("/link/{token}/signed.pdf")
async def get_signed(request: Request, state: StateDep, token: str) -> Response:
    """The sealed letter, for who signed it, for as long as the link would have worked."""
    now = datetime.now(UTC)
    opened = await open_link(state, token, now)
    if opened is None or not _is_downloadable(opened, now):
        return ended(opened, token)
    loa = opened.loa
    content = await read_document(state, loa.signed_key or "", loa.signed_sha256 or "")
    await note_download(state, opened, _visitor(request, state), now)
    return _pdf(content, "attachment", f"letter-{opened.content.document_id}-signed.pdf")


@router.get("/link/{token}/done")
async def get_done(state: StateDep, token: str) -> Response:
    """What became of the letter."""
    now = datetime.now(UTC)
    opened = await open_link(state, token, now)
    if opened is None or opened.standing not in (Standing.SIGNED, Standing.DECLINED):
        return ended(opened, token)
    return page("done", opened=opened, token=token, downloadable=_is_downloadable(opened, now))


@router.post("/link/{token}/sign")
async def post_signature(request: Request, state: StateDep, token: str) -> Response:
    """Sign the letter; a second time says that it is signed."""
    now = datetime.now(UTC)
    opened = await open_link(state, token, now)
    if opened is None or opened.standing is not Standing.OPEN:
        return _after(opened, token)
    fields = await fields_of(request)
    key = await _key(state)
    form = SignForm(
        typed=text_of(fields, "name", MAX_NAME),
        consent=fields.get("consent") == "yes",
        intent=fields.get("intent") == "yes",
        drawing=drawing_of(fields),
    )
    if not is_proof_of(key, opened.shown, fields.get("proof", ""), now):
        return signing_page(opened, token, key, now, form, stale=True)
    problems = form.problems(opened.content)
    drawn = None
    if not problems and form.drawing is not None:
        try:
            drawn = (await state.porting.uploads.check_drawing(form.drawing)).data
        except InvalidFile as error:
            problems = {"drawing": str(error)}
    if problems:
        return signing_page(opened, token, key, now, form, problems=problems)
    try:
        await sign(state, opened, Signing(form.typed, drawn, _visitor(request, state)), now)
    except NotOpen:
        return _after(await open_link(state, token, now), token)
    return see_other(f"/sign/link/{token}/done")


@router.post("/link/{token}/decline")
async def post_refusal(request: Request, state: StateDep, token: str) -> Response:
    """Decline to sign, which ends the order."""
    now = datetime.now(UTC)
    opened = await open_link(state, token, now)
    if opened is None or opened.standing is not Standing.OPEN:
        return _after(opened, token)
    fields = await fields_of(request)
    key = await _key(state)
    if not is_proof_of(key, opened.shown, fields.get("proof", ""), now):
        return signing_page(opened, token, key, now, stale=True)
    reason = text_of(fields, "reason", MAX_REASON)
    try:
        await decline(state, opened, _visitor(request, state), reason, now)
    except NotOpen:
        return _after(await open_link(state, token, now), token)
    return see_other(f"/sign/link/{token}/done")


def _after(opened: OpenedLink | None, token: str) -> Response:
    """A form came a second time, or too late."""
    if opened is not None and opened.standing in (Standing.SIGNED, Standing.DECLINED):
        return see_other(f"/sign/link/{token}/done")
    return ended(opened, token)


def _is_downloadable(opened: OpenedLink, now: datetime) -> bool:
    return opened.standing is Standing.SIGNED and now < opened.link.expires_at


def _visitor(request: Request, state: ApiState) -> Visitor:
    return visitor_of(request, state.settings.trusted_proxies)


async def _key(state: ApiState) -> bytes:
    async with state.database.system() as session:
        return await server_key(session, state.secret_box, "signature_links")


def _pdf(content: bytes, how: str, name: str) -> Response:
    return Response(
        content,
        media_type="application/pdf",
        headers={**PDF_HEADERS, "Content-Disposition": f'{how}; filename="{name}"'},
    )
