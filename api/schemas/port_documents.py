"""Uploaded documents as they are shown."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from storage.tables import PortDocument

__all__ = ["DeletedDocumentView", "DocumentKind", "DocumentView"]


class DocumentKind(StrEnum):
    """What a document is."""

    BILL = "bill"
    CUSTOMER_SERVICE_RECORD = "customer_service_record"
    LETTER_OF_AUTHORIZATION = "letter_of_authorization"
    OTHER = "other"


class DocumentView(BaseModel):
    """A document that is kept, as it was checked: pictures are made anew without what was hidden in
    them."""

    document_sid: str
    kind: str
    name: str
    media_type: str
    size: Annotated[int, Field(description="Bytes.")]
    pages: int | None
    sha256: Annotated[str, Field(description="Of what is kept, in hexadecimal.")]
    document_date: date | None
    created_at: AwareDatetime

    @classmethod
    def of(cls, row: PortDocument) -> DocumentView:
        """The document of a row."""
        return cls(
            document_sid=row.id,
            kind=row.kind,
            name=row.name,
            media_type=row.media_type,
            size=row.size,
            pages=row.pages,
            sha256=row.sha256,
            document_date=row.document_date,
            created_at=row.created_at,
        )


class DeletedDocumentView(BaseModel):
    """A document that is gone."""

    document_sid: str
    deleted: bool = True
