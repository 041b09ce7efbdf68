"""The document store that the operator chose, for every process that keeps or reads documents."""

from __future__ import annotations

from pathlib import Path

from settings.porting import PortingSettings
from storage.documents.base import DocumentStore
from storage.documents.local import LocalDocuments

__all__ = ["chosen_documents"]


def chosen_documents(settings: PortingSettings) -> DocumentStore:
    """The store; nothing is asked of it yet."""
    if settings.document_store == "local" or settings.document_s3_bucket is None:
        return LocalDocuments(Path(settings.document_folder))
    # The AWS SDK takes a tenth of a second to load, which nobody pays who keeps files in a folder.
    from storage.documents.s3 import S3Documents, S3Place

    secret = settings.document_s3_secret_key
    return S3Documents(
        S3Place(
            bucket=settings.document_s3_bucket,
            region=settings.document_s3_region,
            endpoint=settings.document_s3_endpoint,
            access_key=settings.document_s3_access_key,
            secret_key=None if secret is None else secret.get_secret_value(),
            prefix=settings.document_s3_prefix,
        )
    )
