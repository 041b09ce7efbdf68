"""What every document store promises, asked of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

import pytest

from storage.documents.base import (
    CHUNK_BYTES,
    MAX_KEY,
    DocumentMissing,
    DocumentStore,
    InvalidDocumentKey,
)

KEY = "org_1/doc_abc123.pdf"


async def read(store: DocumentStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in await store.open(key)])


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_what_was_put_comes_back(store: DocumentStore) -> None:
    await store.put(KEY, b"%PDF-1.7\n\x00\xff")
    assert await store.exists(KEY)
    assert await read(store, KEY) == b"%PDF-1.7\n\x00\xff"


async def test_an_empty_document_is_a_document(store: DocumentStore) -> None:
    await store.put("org_1/empty", b"")
    assert await store.exists("org_1/empty")
    assert await read(store, "org_1/empty") == b""


async def test_a_stream_is_stored_whole(store: DocumentStore) -> None:
    await store.put("org_1/streamed", pieces(b"one ", b"", b"two ", b"three"))
    assert await read(store, "org_1/streamed") == b"one two three"


async def test_a_large_document_comes_in_chunks(store: DocumentStore) -> None:
    content = bytes(range(256)) * 1024
    await store.put("org_1/large", content)
    chunks = [chunk async for chunk in await store.open("org_1/large")]
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert len(chunks) >= 4


async def test_putting_again_replaces(store: DocumentStore) -> None:
    await store.put("org_1/again", b"a longer first text")
    await store.put("org_1/again", b"second")
    assert await read(store, "org_1/again") == b"second"


async def test_a_missing_document_is_said_before_the_first_chunk(store: DocumentStore) -> None:
    with pytest.raises(DocumentMissing, match="org_1/nothing"):
        await store.open("org_1/nothing")
    assert not await store.exists("org_1/nothing")


async def test_the_beginning_of_a_key_is_no_document(store: DocumentStore) -> None:
    await store.put("org_2/deep/document", b"x")
    assert not await store.exists("org_2/deep")
    with pytest.raises(DocumentMissing):
        await store.open("org_2/deep")
    await store.delete("org_2/deep")
    assert await store.exists("org_2/deep/document")


async def test_deleting_forgets_and_can_be_repeated(store: DocumentStore) -> None:
    await store.put("org_1/short-lived", b"x")
    await store.delete("org_1/short-lived")
    await store.delete("org_1/short-lived")
    assert not await store.exists("org_1/short-lived")
    with pytest.raises(DocumentMissing):
        await store.open("org_1/short-lived")


async def test_a_stream_that_breaks_leaves_what_was_there(store: DocumentStore) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"the first half"
        raise ConnectionResetError("the customer hung up")

    await store.put("org_1/kept", b"before")
    for key in ("org_1/kept", "org_1/never"):
        with pytest.raises(ConnectionResetError):
            await store.put(key, breaking())
    assert await read(store, "org_1/kept") == b"before"
    assert not await store.exists("org_1/never")


async def test_a_reader_that_leaves_early_disturbs_nothing(store: DocumentStore) -> None:
    content = b"x" * (3 * CHUNK_BYTES)
    await store.put("org_1/left", content)
    for _ in range(12):
        # More often than a store has connections: each must come back.
        async with aclosing(
            cast("AsyncGenerator[bytes, None]", await store.open("org_1/left"))
        ) as chunks:
            await anext(chunks)
    assert await read(store, "org_1/left") == content


async def test_many_at_once(store: DocumentStore) -> None:
    keys = [f"org_1/many/{number}" for number in range(20)]
    await asyncio.gather(*(store.put(key, key.encode()) for key in keys))
    assert await asyncio.gather(*(read(store, key) for key in keys)) == [
        key.encode() for key in keys
    ]


LEADING_ELSEWHERE = (
    *("", "/", "/etc/passwd", "..", ".", "a/..", "a/../b", "../a", "a/./b", "a//b", "a/", ".a"),
    *("a/.writing-x", "a\\b", "a\x00b", "a\nb", "a b", "ä", "-a", "a/b\n", "%2e%2e/a", "~/a"),
    *("a" * (MAX_KEY + 1), "/".join("abcdefghi")),
)


async def test_a_key_that_could_lead_elsewhere_is_refused(store: DocumentStore) -> None:
    for key in LEADING_ELSEWHERE:
        with pytest.raises(InvalidDocumentKey):
            await store.put(key, b"x")
        with pytest.raises(InvalidDocumentKey):
            await store.open(key)
        with pytest.raises(InvalidDocumentKey):
            await store.delete(key)
        with pytest.raises(InvalidDocumentKey):
            await store.exists(key)
