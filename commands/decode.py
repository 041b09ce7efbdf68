"""``trunkline decode``: one SIP message as JSON, or why it breaks the protocol."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["decode"]

MAX_INPUT = 1 << 20
"""Bytes read: far above the largest datagram, far below what would hurt."""


def decode(
    file: Annotated[
        Path | None, typer.Argument(help="File with one SIP message; - or nothing: standard input.")
    ] = None,
) -> None:
    """Print one SIP message as JSON. Exit 1 with the reason when it breaks the protocol."""
    from sip.errors import ProtocolError
    from sip.message import parse_message

    try:
        data = _read(file)
    except OSError as error:
        typer.echo(f"{file}: {error.strerror}", err=True)
        raise typer.Exit(2) from error
    try:
        message = parse_message(data)
    except ProtocolError as error:
        typer.echo(f"not a valid SIP message: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(_facts(message), indent=2, ensure_ascii=False))


def _read(file: Path | None) -> bytes:
    if file is None or str(file) == "-":
        data = sys.stdin.buffer.read(MAX_INPUT)
    else:
        with file.open("rb") as stream:
            data = stream.read(MAX_INPUT)
    # A message typed or pasted into a file has bare line ends; on the wire that is an error.
    head, separator, body = data.partition(b"\n\n")
    if separator and b"\r\n" not in head:
        return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body
    return data


def _facts(message: Any) -> dict[str, Any]:
    from sip.message import Request

    start: dict[str, Any]
    if isinstance(message, Request):
        start = {"method": message.method, "uri": str(message.uri)}
    else:
        start = {"status": message.status, "reason": message.reason}
    return {
        "kind": "request" if isinstance(message, Request) else "response",
        **start,
        "from": _party(message.from_),
        "to": _party(message.to),
        "call_id": message.call_id,
        "cseq": {"number": message.cseq.number, "method": message.cseq.method},
        "via": [
            {
                "transport": via.transport,
                "host": via.host,
                "port": via.port,
                "branch": via.branch,
                "received": via.received,
                "rport": via.rport,
            }
            for via in message.vias
        ],
        "headers": [{"name": name, "value": value} for name, value in message.headers.items()],
        "body": message.body.decode("utf-8", errors="backslashreplace"),
        "body_bytes": len(message.body),
    }


def _party(address: Any) -> dict[str, Any]:
    return {"uri": str(address.uri), "display_name": address.display_name, "tag": address.tag}
