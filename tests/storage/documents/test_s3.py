"""Documents in a bucket: what is said when it cannot be had."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.documents.base import DocumentMissing, DocumentStoreUnavailable
from storage.documents.s3 import S3Documents, S3Place
from tests.support.loopback import LoopbackBlock


async def test_nobody_there(s3_place: S3Place, loopback: LoopbackBlock) -> None:
    gone = replace(s3_place, endpoint=f"http://{loopback.address()}:9")
    store = S3Documents(gone, attempts=1)
    with pytest.raises(DocumentStoreUnavailable, match="EndpointConnectionError"):
        await store.put("org/document", b"x")
    with pytest.raises(DocumentStoreUnavailable):
        await store.exists("org/document")
    await store.close()


async def test_a_bucket_that_does_not_exist_is_no_missing_document(s3_place: S3Place) -> None:
    store = S3Documents(replace(s3_place, bucket="another-bucket"), attempts=1)
    with pytest.raises(DocumentStoreUnavailable, match="NoSuchBucket"):
        await store.open("org/document")
    await store.close()


async def test_two_prefixes_of_a_bucket_do_not_meet(s3_place: S3Place) -> None:
    one = S3Documents(replace(s3_place, prefix="one/"))
    other = S3Documents(replace(s3_place, prefix="other/"))
    await one.put("org/document", b"x")
    with pytest.raises(DocumentMissing):
        await other.open("org/document")
    await one.close()
    await other.close()


def test_the_credentials_are_not_shown(s3_place: S3Place) -> None:
    assert "testing" not in repr(s3_place)
