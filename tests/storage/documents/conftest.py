"""An S3 server of this run alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest

from storage.documents.base import DocumentStore
from storage.documents.local import LocalDocuments
from storage.documents.s3 import S3Documents, S3Place
from tests.support.loopback import LoopbackBlock

BUCKET = "papers"


@pytest.fixture(scope="session")
def s3_place(loopback: LoopbackBlock) -> Iterator[S3Place]:
    """A bucket on a server that speaks S3 over HTTP."""
    # Here, because it takes seconds and every process of a parallel run reads this file.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=loopback.address(), port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    place = S3Place(
        bucket=BUCKET,
        region="eu-central-1",
        endpoint=f"http://{host}:{port}",
        access_key="testing",
        secret_key="testing",
        prefix="trunkline/",
    )
    client = boto3.session.Session().client(
        "s3",
        region_name=place.region,
        endpoint_url=place.endpoint,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
    )
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": place.region}
    )
    client.close()
    yield place
    server.stop()


@pytest.fixture(scope="session")
async def bucket(s3_place: S3Place) -> AsyncIterator[S3Documents]:
    """One client for all tests that need no other: to make one takes half a second."""
    made = S3Documents(s3_place)
    yield made
    await made.close()


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DocumentStore:
    """Each kind of store in turn."""
    if request.param == "local":
        return LocalDocuments(tmp_path / "documents")
    made: S3Documents = request.getfixturevalue("bucket")
    return made
