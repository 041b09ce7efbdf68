"""Wireshark's capture and dissector, as judges of what is on the wire and in our files."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["capturing", "dissected", "fields_of", "found"]

FLUSHED_WITHIN = 0.5
"""Seconds: the capture hands over what it holds several times a second."""

DISCARD_PORT = 9
MAY_NOT_CAPTURE = ("permission", "don't have", "not permitted")


@asynccontextmanager
async def capturing(tshark: str, address: str, file: Path) -> AsyncIterator[None]:
    """Write UDP to and from ``address`` into ``file``; begins when packets really arrive there."""
    process = await asyncio.create_subprocess_exec(
        *(tshark, "-i", "lo", "-f", f"udp and host {address}", "-w", str(file), "-P", "-l"),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        await _until_seen(process, address)
        yield
        await asyncio.sleep(FLUSHED_WITHIN)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _until_seen(process: asyncio.subprocess.Process, address: str) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(b"is the capture running?", (address, DISCARD_PORT))
            try:
                line = await asyncio.wait_for(process.stdout.readline(), 0.1)
            except TimeoutError:
                continue
            if line:
                return
            complaint = (await process.stderr.read()).decode(errors="replace")
            if any(words in complaint for words in MAY_NOT_CAPTURE) and not os.environ.get("CI"):
                pytest.skip(f"this user may not capture: {complaint.strip().splitlines()[-1]}")
            pytest.fail(f"tshark ended: {complaint}")
    pytest.fail("tshark sees nothing")


async def dissected(tshark: str, file: Path) -> list[dict[str, Any]]:
    """Layers of each SIP packet in a capture with SIP on UDP port 5060."""
    said = await _read(tshark, file, "-d", "udp.port==5060,sip", "-Y", "sip", "-T", "json")
    return [packet["_source"]["layers"] for packet in json.loads(said)]


async def fields_of(
    tshark: str, file: Path, names: tuple[str, ...], *options: str
) -> list[tuple[str, ...]]:
    """These fields of each packet, empty text where it has none; ``options`` as tshark knows them."""
    wanted = (part for name in names for part in ("-e", name))
    said = await _read(tshark, file, *options, "-T", "fields", *wanted)
    return [tuple(line.split("\t")) for line in said.splitlines()]


async def _read(tshark: str, file: Path, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(tshark, "-r", str(file), *options), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint
    return said.decode()


def found(tree: Any, name: str) -> list[str]:
    """Values of every field of that name, however deep."""
    if isinstance(tree, list):
        return [value for each in tree for value in found(each, name)]
    if not isinstance(tree, dict):
        return []
    values = []
    for key, value in tree.items():
        if key == name:
            values += value if isinstance(value, list) else [value]
        values += found(value, name)
    return values
