"""Configuration of a PBX for one trunk."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from domain.snippets import SnippetSystem

__all__ = ["EXAMPLE_SNIPPET", "SnippetView"]

EXAMPLE_SNIPPET: Final[dict[str, Any]] = {
    "system": "kamailio",
    "title": "Kamailio dispatcher",
    "where": "the file of dispatcher's list_file, then `kamcmd dispatcher.reload`",
    "format": "text",
    "text": "1 sip:sip.example.com:5061;transport=tls 0 0\n",
    "region": "us",
    "example": False,
}


class SnippetView(BaseModel):
    """Text to paste, and where to."""

    system: SnippetSystem
    title: str
    where: str
    format: Annotated[str, Field(description="Syntax of the text, for an editor.")]
    text: str
    region: str
    example: Annotated[
        bool, Field(description="The operator has set no regions: these are not real addresses.")
    ]
