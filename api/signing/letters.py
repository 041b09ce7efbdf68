"""What a link leads to: the letter and its order, and whether it can still be signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from api.state import ApiState
from domain.porting.loa_text import LoaContent
from domain.porting.signature_links import ShownPage, is_token, token_sha256
from domain.porting.words import TERMINAL
from storage import port_letters, port_orders, port_signatures
from storage.documents.base import read_whole
from storage.tables import PortLoa, PortOrder, PortSignatureLink

__all__ = ["LetterDamaged", "OpenedLink", "Standing", "open_link", "read_document", "signer_of"]


class Standing(StrEnum):
    """What can be done with a link."""

    OPEN = "open"
    SIGNED = "signed"
    """The letter was signed through it."""
    DECLINED = "declined"
    EXPIRED = "expired"
    REPLACED = "replaced"
    """A newer link was mailed, or the letter was written anew."""
    CLOSED = "closed"
    """The order needs no signature any more."""


class LetterDamaged(Exception):
    """What is stored of a letter is not what was stored."""


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link with what it leads to."""

    link: PortSignatureLink
    loa: PortLoa
    order: PortOrder
    content: LoaContent
    standing: Standing

    @property
    def shown(self) -> ShownPage:
        """What the page of this link shows."""
        return ShownPage(
            self.link.token_sha256, self.loa.unsigned_sha256, self.content.disclosure.sha256
        )


async def open_link(state: ApiState, token: str, now: datetime) -> OpenedLink | None:
    """What the link leads to; ``None`` when there is no such link."""
    if not is_token(token):
        return None
    # Whoever opens it has no key: the link itself says whose it is.
    async with state.database.system() as session:
        link = await port_signatures.find(session, token_sha256(token))
        loa = None if link is None else await port_letters.get(session, link.loa_id)
        order = None if link is None else await port_orders.get(session, link.order_id)
    if link is None or loa is None or order is None:
        return None
    standing = _standing(link, loa, order, now)
    return OpenedLink(link, loa, order, port_letters.content_of(loa), standing)


def _standing(link: PortSignatureLink, loa: PortLoa, order: PortOrder, now: datetime) -> Standing:
    if link.used_at is not None:
        return Standing.DECLINED if loa.declined_at is not None else Standing.SIGNED
    if link.invalidated_at is not None or loa.superseded_at is not None:
        return Standing.REPLACED
    is_over = order.sub_status in TERMINAL or order.cancel_requested_at is not None
    if is_over or loa.signed_at is not None or loa.declined_at is not None:
        return Standing.CLOSED
    return Standing.EXPIRED if link.expires_at <= now else Standing.OPEN


async def read_document(state: ApiState, key: str, sha256: str) -> bytes:
    """A stored letter. Raises ``LetterDamaged`` and ``DocumentStoreError``."""
    content = await read_whole(state.porting.documents, key)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LetterDamaged(f"{key} is not the letter that was stored")
    return content


def signer_of(content: LoaContent) -> str:
    """Who is to sign the letter."""
    return dict(content.signature_fields).get(_NAME, "")


_NAME: Final = "Name"
"""The label under which ``loa_text`` has the signer."""
