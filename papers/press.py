"""Letters printed and sealed in a thread: each takes a good part of a second.

The libraries take seconds of processor time to be imported. They are imported when the first letter is
made, so that processes start without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from domain.porting.loa_text import LoaContent
from domain.porting.signature_trail import TrailEntry
from papers.seal_key import SealKey
from papers.signature import Signature

__all__ = ["print_letter", "print_sealed"]


async def print_letter(content: LoaContent, made_at: datetime) -> bytes:
    """The letter, unsigned, as ``papers.loa_pdf.render`` makes it. Raises ``UnprintableText``."""

    def make() -> bytes:
        from papers.loa_pdf import render

        return render(content, made_at)

    return await asyncio.to_thread(make)


async def print_sealed(
    letter: bytes,
    letter_sha256: str,
    content: LoaContent,
    signature: Signature,
    trail: Sequence[TrailEntry],
    key: SealKey,
) -> bytes:
    """The letter with the pages about its signature, sealed. Raises ``SealFailed`` and
    ``UnprintableText``."""

    def make() -> bytes:
        from papers.loa_seal import seal
        from papers.signature_pages import render_signature_pages

        pages = render_signature_pages(content, letter_sha256, signature, trail)
        return seal(letter, pages, key, signature.at)

    return await asyncio.to_thread(make)
