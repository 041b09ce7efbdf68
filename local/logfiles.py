"""Keeps log files short while their writers go on."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

__all__ = ["keep_short"]

MAX_LOG_BYTES = 20 * 1024 * 1024
_CHECK_EVERY = 30.0


async def keep_short(folder: Path) -> None:
    """Look after all ``*.log`` of the folder until cancelled."""
    while True:
        await asyncio.to_thread(_shorten_all, folder)
        await asyncio.sleep(_CHECK_EVERY)


def _shorten_all(folder: Path) -> None:
    for log in folder.glob("*.log"):
        shorten(log)


def shorten(log: Path, limit: int = MAX_LOG_BYTES) -> None:
    """Move what a too long log holds to ``NAME.log.1``.

    Copied and cut in place: writers hold the file open in append mode and write on at its new end.
    """
    if log.stat().st_size > limit:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
