"""Documents for port orders: bills and other proofs of ownership."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Request
from fastapi.responses import StreamingResponse

from api.access import SipEditor, SipViewer
from api.changes import ChangeDep
from api.dependencies import By
from api.documentation import answer, refusals
from api.envelope import Envelope
from api.errors import InvalidRequest, NotFound
from api.routes.trace_files import file_of
from api.routing import new_router
from api.schemas.port_documents import DeletedDocumentView, DocumentKind, DocumentView
from api.schemas.port_examples import EXAMPLE_DOCUMENT
from api.services import port_documents
from api.services.port_documents import DocumentInUse, DocumentQuota
from api.state import state_of

__all__ = ["FILE_HEADERS", "router"]

router = new_router("/v1/sip/port/document", tag="Porting")

_UNKNOWN = NotFound("no such document")

DocumentId = Annotated[
    str,
    Path(
        pattern="^doc_[0-9A-Za-z]{22}$",
        description="Id of the document.",
        examples=["doc_4fJq0ZxYbT1mN8cRw2LkPa"],
    ),
]

FILE_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}
"""Strangers made these files: nothing in them may run, or be taken for another type."""

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "PDF, JPEG, PNG, GIF or WebP of at most 10 MB.",
                        },
                        "kind": {
                            "type": "string",
                            "enum": [each.value for each in DocumentKind],
                            "default": DocumentKind.BILL.value,
                            "description": "What it is.",
                        },
                        "document_date": {
                            "type": "string",
                            "format": "date",
                            "description": "Day on which a bill was issued.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "",
    summary="Upload a document",
    responses={
        **answer(EXAMPLE_DOCUMENT),
        **refusals(
            InvalidRequest(
                "The file is no PDF, JPEG, PNG, GIF or WebP.",
                field="file",
                code="INVALID_FILE_TYPE",
            ),
            DocumentQuota(),
        ),
    },
    openapi_extra=_BODY,
)
async def upload_document(
    request: Request, principal: SipEditor, by: By, change: ChangeDep
) -> Envelope[DocumentView]:
    """A bill or another proof, as multipart form data. The content decides what a file is: it is read
    as a whole; pictures are stored anew without what is hidden in them; encrypted and active PDFs are
    refused. Name it by its `document_sid` when you order."""
    form = await port_documents.read_form(request)
    view = await port_documents.upload(state_of(request), change, principal, by, form)
    return Envelope(data=view)


@router.get(
    "/{document_id}",
    summary="Download a document",
    response_class=StreamingResponse,
    responses={
        **file_of("application/octet-stream", "The file, to be saved"),
        **refusals(_UNKNOWN),
    },
)
async def download_document(
    request: Request, principal: SipViewer, document_id: DocumentId
) -> StreamingResponse:
    """As it was checked and kept."""
    state = state_of(request)
    row = await port_documents.find(state, principal.org_id, document_id)
    content = await port_documents.opened(state, row.stored_key)
    extension = row.media_type.rpartition("/")[2]
    headers = {
        **FILE_HEADERS,
        "Content-Length": str(row.size),
        "Content-Disposition": f'attachment; filename="{document_id}.{extension}"',
    }
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


@router.delete(
    "/{document_id}",
    summary="Delete a document",
    responses={
        **answer({"document_sid": "doc_4fJq0ZxYbT1mN8cRw2LkPa", "deleted": True}),
        **refusals(_UNKNOWN, DocumentInUse()),
    },
)
async def delete_document(
    request: Request, principal: SipEditor, by: By, document_id: DocumentId
) -> Envelope[DeletedDocumentView]:
    """Only while no order has it: proofs are kept with their orders."""
    await port_documents.remove(state_of(request), principal, by, document_id)
    return Envelope(data=DeletedDocumentView(document_sid=document_id))
