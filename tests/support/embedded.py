"""What tests of the embedded PostgreSQL do with it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import psycopg

from local.procfs import identify

__all__ = ["ask", "copied", "gone", "run"]


def copied(initialised: Path, folder: Path) -> Path:
    """A copy of a data folder; its cluster keeps its owner."""
    shutil.copytree(initialised, folder)
    owner = (initialised / "cluster").stat()
    for path in (folder / "cluster", *(folder / "cluster").rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    return folder


def ask(url: str, query: str) -> object:
    """The first column of the first row."""
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def run(url: str, statement: str) -> None:
    """Execute and commit."""
    with psycopg.connect(url) as connection:
        connection.execute(statement)


def gone(pid: int, within: float = 15) -> bool:
    """Whether the process ended, waiting for it so many seconds."""
    give_up = time.monotonic() + within
    while identify(pid) is not None:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True
