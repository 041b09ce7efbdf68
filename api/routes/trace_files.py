"""What the routes of traces share: their files, and how those are documented."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Response

from sip.pcap import LinkType

__all__ = ["HARMLESS", "Capture", "HideNumbers", "Link", "Mermaid", "Svg", "attachment", "file_of"]

HideNumbers = Annotated[
    bool, Query(description="Cover telephone numbers too, all but their last four digits.")
]

Link = Annotated[
    LinkType | None,
    Query(
        description="`ip`: packets as every tool reads them (sngrep, tcpdump), TLS as plain TCP. `sip`: "
        "exported PDUs, which Wireshark shows as SIP whatever the port. Default: `ip` for UDP "
        "and TCP on port 5060, else `sip`."
    ),
]

# The peer had its say in these documents: nothing in them may run or load, or be taken for another type.
HARMLESS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


class Svg(Response):
    """An SVG document."""

    media_type = "image/svg+xml"


class Mermaid(Response):
    """Source of a Mermaid diagram."""

    media_type = "text/plain"


class Capture(Response):
    """A capture file."""

    media_type = "application/vnd.tcpdump.pcap"


def attachment(name: str) -> dict[str, str]:
    """Headers of a file to be saved under this name."""
    return HARMLESS | {"Content-Disposition": f'attachment; filename="{name}"'}


def file_of(media_type: str, description: str, example: str | None = None) -> dict[int | str, Any]:
    """``responses=`` entry of a file."""
    content: dict[str, Any] = {"schema": {"type": "string"}}
    if example is None:
        content["schema"]["format"] = "binary"
    else:
        content["example"] = example
    return {200: {"description": description, "content": {media_type: content}}}
