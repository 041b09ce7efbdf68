"""Uploaded documents: read with a bound, checked, stored, counted, given back, forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from starlette.datastructures import UploadFile
from starlette.requests import Request

from api.authentication import Principal
from api.changes import Change
from api.errors import Conflict, FileTooLarge, InvalidRequest, NotFound, Unavailable
from api.schemas.port_documents import DocumentKind, DocumentView
from api.services.actor import Actor
from api.services.audit import record
from api.state import ApiState
from observability.logs import get_logger
from papers.checked import CheckedUpload
from papers.errors import CheckUnavailable, InvalidFile, TooLarge
from papers.uploads import read_capped
from storage import port_documents
from storage.documents.base import CHUNK_BYTES, DocumentMissing, DocumentStoreError
from storage.ids import new_id
from storage.port_documents import NewDocument, QuotaFull
from storage.port_wholes import lock_documents, orders_with_document
from storage.tables import PortDocument

__all__ = [
    "DocumentInUse",
    "DocumentQuota",
    "Form",
    "find",
    "opened",
    "read_form",
    "remove",
    "upload",
]

MAX_FIELDS: Final = 10
MAX_FIELD_BYTES: Final = 1024
FIELDS: Final = frozenset({"file", "kind", "document_date"})

_log = get_logger("trunkline.porting")


class DocumentQuota(Conflict):
    """The organization keeps as much as it may."""

    code = "DOCUMENT_QUOTA_EXCEEDED"
    default_message = "your organization keeps as many documents as it may; delete some first"


class DocumentInUse(Conflict):
    """An order needs the document."""

    code = "DOCUMENT_IN_USE"
    default_message = "a port order has this document, and its proof is kept with it"


@dataclass(frozen=True, slots=True)
class Form:
    """What a multipart body brought."""

    file: bytes = field(repr=False)
    name: str = field(repr=False)
    kind: DocumentKind
    document_date: date | None


async def read_form(request: Request) -> Form:
    """Read the body piece by piece. Raises ``InvalidRequest`` and ``FileTooLarge``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise InvalidRequest("the body must be multipart/form-data with a part named file")
    async with request.form(
        max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    ) as form:
        unknown = sorted(set(form) - FIELDS)
        if unknown:
            name = unknown[0][:100]
            raise InvalidRequest(f"{name} is not a field of this request", field=name)
        twice = [each for each in form if len(form.getlist(each)) > 1]
        if twice:
            raise InvalidRequest(f"{twice[0]} is there twice", field=twice[0])
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidRequest("file is required, as a part with a file name", field="file")
        try:
            content = await read_capped(_chunks(file))
        except TooLarge as error:
            raise FileTooLarge(error.limit) from error
        return Form(
            content,
            file.filename or "document",
            _kind(form.get("kind")),
            _date(form.get("document_date")),
        )


async def upload(
    state: ApiState, change: Change, principal: Principal, actor: Actor, form: Form
) -> DocumentView:
    """Check and keep a document. Raises ``InvalidRequest``, ``DocumentQuota`` and ``Unavailable``."""
    checked = await _checked(state, form)
    org_id, now = principal.org_id, datetime.now(UTC)
    document_id = new_id("doc")
    key = f"uploads/{org_id}/{document_id}"
    try:
        await state.porting.documents.put(key, checked.data)
    except DocumentStoreError as error:
        raise _away(error) from error
    new = NewDocument(
        id=document_id,
        org_id=org_id,
        media_type=checked.media_type.value,
        size=len(checked.data),
        sha256=checked.sha256,
        name=checked.name,
        kind=form.kind.value,
        stored_key=key,
        created_at=now,
        pages=checked.pages,
        document_date=form.document_date,
    )
    try:
        session = await change.of(org_id)
        settings = state.settings
        added = await port_documents.add(
            session,
            new,
            max_files=settings.document_quota_files,
            max_size=settings.document_quota_bytes,
        )
        if isinstance(added, QuotaFull):
            raise DocumentQuota(
                f"your organization keeps {added.files} documents of {added.size} bytes; it may keep "
                f"{settings.document_quota_files} and {settings.document_quota_bytes} bytes"
            )
        await record(
            session,
            actor,
            org_id=org_id,
            action="port_document.upload",
            subject=("port_document", document_id),
            after={"kind": new.kind, "size": new.size, "sha256": new.sha256},
        )
    except BaseException:
        await _forget(state, key)
        raise
    found = await port_documents.get(session, document_id)
    assert found is not None
    return DocumentView.of(found)


async def find(state: ApiState, org_id: str, document_id: str) -> PortDocument:
    """The document's row. Raises ``NotFound``."""
    async with state.database.tenant(org_id) as session:
        found = await port_documents.get(session, document_id)
    if found is None:
        raise NotFound("no such document")
    return found


async def opened(state: ApiState, key: str) -> AsyncIterator[bytes]:
    """The content under the key. Raises ``NotFound`` and ``Unavailable``."""
    try:
        return await state.porting.documents.open(key)
    except DocumentMissing as error:
        _log.error("a document has no content", key=key)
        raise NotFound("the document's content is gone") from error
    except DocumentStoreError as error:
        raise _away(error) from error


async def remove(state: ApiState, principal: Principal, actor: Actor, document_id: str) -> None:
    """Forget a document that no order has. Raises ``NotFound`` and ``DocumentInUse``."""
    org_id = principal.org_id
    async with state.database.tenant(org_id) as session:
        await lock_documents(session, org_id)
        if await port_documents.get(session, document_id) is None:
            raise NotFound("no such document")
        users = await orders_with_document(session, document_id)
        if users:
            raise DocumentInUse(facts={"order_id": users[0]})
        key = await port_documents.remove(session, document_id, now=datetime.now(UTC))
        await record(
            session,
            actor,
            org_id=org_id,
            action="port_document.delete",
            subject=("port_document", document_id),
        )
    # Content that no row names is worth less than a row whose content is gone.
    if key is not None:
        await _forget(state, key)


async def _checked(state: ApiState, form: Form) -> CheckedUpload:
    try:
        return await state.porting.uploads.check(form.file, form.name)
    except InvalidFile as error:
        _log.info("an upload was refused", reason=error.detail)
        raise InvalidRequest(str(error), field="file", code=error.code) from error
    except CheckUnavailable as error:
        raise Unavailable("documents cannot be checked at the moment") from error


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK_BYTES):
        yield chunk


def _kind(value: object) -> DocumentKind:
    if value is None:
        return DocumentKind.BILL
    try:
        return DocumentKind(str(value))
    except ValueError as error:
        known = ", ".join(DocumentKind)
        raise InvalidRequest(f"kind: must be one of {known}", field="kind") from error


def _date(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidRequest(
            "document_date: must be a date such as 2026-03-09", field="document_date"
        ) from error


def _away(error: DocumentStoreError) -> Unavailable:
    _log.error("the document store is away", reason=str(error))
    return Unavailable("documents cannot be reached at the moment")


async def _forget(state: ApiState, key: str) -> None:
    try:
        await state.porting.documents.delete(key)
    except DocumentStoreError as error:
        _log.warning("content that no row names is left behind", key=key, reason=str(error))
