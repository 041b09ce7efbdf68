"""Distinctive secrets, and a search for them in every form that they may come out in."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

import httpx
import psycopg
from psycopg import sql
from temporalio.client import Client

__all__ = [
    "SHOWS_A_SECRET",
    "Finding",
    "Place",
    "Recorder",
    "canary",
    "database_places",
    "file_places",
    "history_places",
    "inflated",
    "leaks",
]

SHOWS_A_SECRET: Final = {"shows_a_secret": True}
"""``extensions`` of a request whose answer shows a secret this once."""

SHORTEST: Final = 8
"""Bytes: anything shorter is found by chance."""


def canary(name: str) -> str:
    """A new secret that nobody mistakes for another one."""
    return f"canary-{name}-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Place:
    """Something that was kept or told, and where."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret, by its name, in a place."""

    secret: str
    place: str
    around: bytes


def leaks(planted: dict[str, str], places: Iterable[Place]) -> list[Finding]:
    """Where the secrets (by name) are, as they are or as a usual encoding writes them."""
    forms = [(name, form) for name, secret in planted.items() for form in _forms(secret)]
    return [
        Finding(name, place.name, place.content[max(at - 60, 0) : at + 60])
        for place in places
        for name, form in forms
        if (at := place.content.find(form)) >= 0
    ]


def _forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    if len(raw) < SHORTEST:
        raise ValueError("too short to be searched for")
    texts = {
        *(quote(secret, safe=""), quote(secret), quote_plus(secret)),
        *(json.dumps(secret, ensure_ascii=each)[1:-1] for each in (True, False)),
        *(raw.hex(), raw.hex().upper()),
    }
    return {raw, *(each.encode() for each in texts), *_base64_cores(raw)}


def _base64_cores(raw: bytes) -> Iterator[bytes]:
    """What base64 makes of ``raw`` inside something longer, without what its neighbours change."""
    for before in range(3):
        first, end = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
        for alphabet in (b"+/", b"-_"):
            yield base64.b64encode(bytes(before) + raw, alphabet)[first:end]


class Recorder:
    """Keeps every answer of the clients that have its ``hooks``."""

    def __init__(self) -> None:
        self.places: list[Place] = []

    @property
    def hooks(self) -> dict[str, list[Any]]:
        """``event_hooks`` of an ``httpx.AsyncClient``."""
        return {"response": [self._keep]}

    async def _keep(self, response: httpx.Response) -> None:
        request = response.request
        if request.extensions.keys() & SHOWS_A_SECRET.keys():
            return
        await response.aread()
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        where = f"{request.method} {request.url.path} -> {response.status_code}"
        self.places.append(Place(where, head.encode() + b"\n\n" + response.content))


def inflated(body: bytes) -> bytes:
    """The body without its gzip."""
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def file_places(*files: Path) -> list[Place]:
    """The content of files."""
    return [Place(str(file), file.read_bytes()) for file in files]


def database_places(url: str) -> list[Place]:
    """Every value of every table, a place for each column of a row."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition"
        ).fetchall()
        found: list[Place] = []
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            names = [column.name for column in rows.description or ()]
            found += [
                Place(f"{table}.{name}", _stored(value))
                for row in rows
                for name, value in zip(names, row, strict=True)
                if value is not None
            ]
        return found


def _stored(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, ensure_ascii=False, default=str).encode()


async def history_places(client: Client) -> list[Place]:
    """Every event of every workflow as JSON, followed by what its payloads decode to."""
    found: list[Place] = []
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        history = await handle.fetch_history()
        for event in history.to_json_dict()["events"]:
            decoded = b"\n".join(_decoded(event))
            name = f"{execution.id} {event['eventType']}"
            found.append(Place(name, json.dumps(event).encode() + b"\n" + decoded))
        found.append(Place(f"{execution.id} info", execution.raw_info.SerializeToString()))
    return found


def _decoded(value: Any) -> Iterator[bytes]:
    """Everything inside that is base64."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _decoded(each)
    elif isinstance(value, list):
        for each in value:
            yield from _decoded(each)
    elif isinstance(value, str):
        try:
            yield base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return
