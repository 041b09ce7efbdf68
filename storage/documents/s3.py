"""Documents in a bucket of S3, or of what speaks its protocol.

boto3 speaks it, in threads of this store: as many as it has connections, ``CONNECTIONS``. A request is
made ``ATTEMPTS`` times at most and waits ``CONNECTING`` seconds for a connection and ``READING`` for
each piece of an answer, so a store that hangs is given up within the minute. A document is at most ten
megabytes and goes in one request, which S3 does whole or not at all.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from storage.documents.base import (
    CHUNK_BYTES,
    DocumentMissing,
    DocumentStoreUnavailable,
    check_key,
)

__all__ = ["ATTEMPTS", "S3Documents", "S3Place"]

ATTEMPTS: Final = 3
CONNECTING: Final = 3.0
READING: Final = 10.0
"""Seconds."""

CONNECTIONS: Final = 8
"""Enough for the uploads and downloads of one process, which are few; each is a thread."""

_MISSING: Final = frozenset({"NoSuchKey", "NotFound", "404"})

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket and how to get at it.

    ``endpoint`` is None for AWS itself, else the URL of what speaks the protocol, which is then asked
    with the bucket in the path. Without ``access_key`` the machine's own credentials are used (the
    chain of the AWS SDK: environment, profile, instance role). ``prefix`` goes before each key.
    """

    bucket: str
    region: str
    endpoint: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    prefix: str = ""


class _Body(Protocol):
    def read(self, amt: int) -> bytes: ...

    def close(self) -> None: ...


class S3Documents:
    """A ``DocumentStore`` in a bucket, which must exist."""

    def __init__(self, place: S3Place, *, attempts: int = ATTEMPTS) -> None:
        self._bucket = place.bucket
        self._prefix = place.prefix
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="documents")
        self._client: Any = boto3.session.Session().client(
            "s3",
            region_name=place.region,
            endpoint_url=place.endpoint,
            aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key,
            config=Config(
                connect_timeout=CONNECTING,
                read_timeout=READING,
                max_pool_connections=CONNECTIONS,
                retries={"mode": "standard", "total_max_attempts": attempts},
                s3={"addressing_style": "path" if place.endpoint else "auto"},
                # Others than AWS do not all know the checksums that newer clients send of themselves.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    async def put(self, key: str, content: bytes | AsyncIterable[bytes]) -> None:
        """See ``DocumentStore.put``."""
        named = self._named(key)
        body = (
            content if isinstance(content, bytes) else b"".join([chunk async for chunk in content])
        )
        await self._ask(key, self._client.put_object, **named, Body=body)

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """See ``DocumentStore.open``."""
        answer = await self._ask(key, self._client.get_object, **self._named(key))
        return self._chunks(key, cast(_Body, answer["Body"]))

    async def delete(self, key: str) -> None:
        """See ``DocumentStore.delete``."""
        await self._ask(key, self._client.delete_object, **self._named(key))

    async def exists(self, key: str) -> bool:
        """See ``DocumentStore.exists``."""
        try:
            await self._ask(key, self._client.head_object, **self._named(key))
        except DocumentMissing:
            return False
        return True

    async def close(self) -> None:
        """See ``DocumentStore.close``."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + check_key(key)}

    async def _chunks(self, key: str, body: _Body) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._ask(key, body.read, CHUNK_BYTES):
                yield chunk
        finally:
            body.close()

    async def _ask(self, key: str, do: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        call = functools.partial(do, *args, **named)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise DocumentMissing(key) from None
            raise DocumentStoreUnavailable(f"the bucket of documents: {code}") from error
        except (BotoCoreError, HTTPClientError) as error:
            said = type(error).__name__
            raise DocumentStoreUnavailable(f"the bucket of documents: {said}") from error
