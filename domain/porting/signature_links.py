"""Links to a signing page and the proof that a form came from one; mailboxes and names on such pages.

A token is derived from a key of the installation and the notice that mails it, so that a mail that is
sent again, because its first receipt was lost, has the link of the first one. Whoever has not the key
cannot tell it from 256 random bits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = [
    "FORM_LIFE",
    "ShownPage",
    "form_proof",
    "is_proof_of",
    "is_same_name",
    "is_token",
    "link_token",
    "masked_mailbox",
    "token_sha256",
]

FORM_LIFE: Final = timedelta(hours=12)
"""How long a page may stay open before it has to be loaded again."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22,64}\Z")
_PROOF: Final = re.compile(r"([0-9]{1,11})\.([0-9a-f]{64})\Z")


def link_token(key: bytes, notice_id: str) -> str:
    """The token of the link that this notice mails: 43 characters of base64url, 256 bits."""
    digest = _keyed(key, ("signature link", notice_id))
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Whether ``text`` has the form of a token; it need not be one."""
    return _TOKEN.match(text) is not None


def token_sha256(token: str) -> str:
    """What is kept of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ShownPage:
    """What a signer had before the eyes; hashes are SHA-256 in hexadecimal."""

    token_sha256: str
    letter_sha256: str
    disclosure_sha256: str


def form_proof(key: bytes, page: ShownPage, at: datetime) -> str:
    """What a form carries as proof that we served it at ``at``, on this page and no other."""
    seconds = str(int(at.timestamp()))
    return f"{seconds}.{_page_digest(key, page, seconds).hex()}"


def is_proof_of(key: bytes, page: ShownPage, proof: str, now: datetime) -> bool:
    """Whether the form was served on this page within ``FORM_LIFE``. Takes the same time either way."""
    match = _PROOF.match(proof)
    if match is None:
        return False
    seconds, mark = match.groups()
    age = now.timestamp() - int(seconds)
    expected = _page_digest(key, page, seconds).hex()
    # The clock of the process that served the page may be ahead.
    return hmac.compare_digest(mark, expected) and -60 <= age <= FORM_LIFE.total_seconds()


def masked_mailbox(address: str) -> str:
    """An address that its owner recognises and others do not learn: ``j***@acme.example``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def is_same_name(typed: str, expected: str) -> bool:
    """Whether somebody typed this name. Case, diacritics, full stops, commas and spaces do not count;
    a letter more or less does."""
    return _plain(typed) == _plain(expected) != ""


def _plain(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in apart if each.isalnum())


def _page_digest(key: bytes, page: ShownPage, seconds: str) -> bytes:
    parts = ("form", page.token_sha256, page.letter_sha256, page.disclosure_sha256, seconds)
    return _keyed(key, parts)


def _keyed(key: bytes, parts: Sequence[str]) -> bytes:
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        # With its length in front no two rows of parts give the same bytes.
        written = part.encode()
        digest.update(len(written).to_bytes(4, "big") + written)
    return digest.digest()
