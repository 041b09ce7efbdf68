"""Documents in a folder: who may read them, and what a bad disk does."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.documents.base import DocumentStoreUnavailable, InvalidDocumentKey
from storage.documents.local import LocalDocuments


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_owner_may_read(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        await LocalDocuments(tmp_path / "papers").put("org/deep/document", b"x")
    finally:
        os.umask(before)
    folders = [tmp_path / "papers", tmp_path / "papers/org", tmp_path / "papers/org/deep"]
    assert {mode(folder) for folder in folders} == {0o700}
    assert mode(tmp_path / "papers/org/deep/document") == 0o600


async def test_a_link_in_the_folder_leads_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"x")
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "org").symlink_to(outside)
    store = LocalDocuments(papers)
    with pytest.raises(InvalidDocumentKey, match="leads out"):
        await store.open("org/secret")
    with pytest.raises(InvalidDocumentKey, match="leads out"):
        await store.put("org/written", b"x")
    assert sorted(outside.iterdir()) == [outside / "secret"]


async def test_nothing_is_left_of_a_write_that_was_cancelled(tmp_path: Path) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"the first half"
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(LocalDocuments(tmp_path).put("org/document", endless()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((tmp_path / "org").iterdir()) == []


async def test_a_full_disk_is_said_without_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DocumentStoreUnavailable, match="No space left") as raised:
        await LocalDocuments(tmp_path).put("org/document", b"x")
    assert str(tmp_path) not in str(raised.value)
    assert list((tmp_path / "org").iterdir()) == []


async def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "org").write_bytes(b"in the way")
    with pytest.raises(DocumentStoreUnavailable):
        await LocalDocuments(tmp_path).put("org/document", b"x")


async def test_what_a_dead_process_left_is_no_document(tmp_path: Path) -> None:
    store = LocalDocuments(tmp_path)
    await store.put("org/document", b"x")
    (tmp_path / "org/.writing-abc").write_bytes(b"half")
    with pytest.raises(InvalidDocumentKey):
        await store.open("org/.writing-abc")
