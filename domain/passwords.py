"""Passwords that Trunkline makes: random ones, and the one a PBX expects of our REGISTER."""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Callable
from typing import Final

from domain.base62 import base62

__all__ = [
    "MAX_LENGTH",
    "MIN_LENGTH",
    "PASSWORD_ALPHABET",
    "generated_password",
    "password_for_pbx",
]

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256
PBX_PASSWORD_LENGTH: Final = 24

# Letters and digits need no escape in any PBX's configuration; those that look alike are left out.
PASSWORD_ALPHABET: Final = "".join(
    character
    for character in string.ascii_uppercase + string.ascii_lowercase + string.digits
    if character not in "0O1lI"
)


def generated_password(length: int, choose: Callable[[str], str]) -> str:
    """A password of ``length`` characters, brought between the limits (contract 3.6).

    ``choose`` picks one character of a text at random, as ``secrets.choice`` does. From 8 characters
    on there is an upper-case letter, a lower-case letter and a digit in it, as some PBXs demand.
    """
    size = min(max(length, MIN_LENGTH), MAX_LENGTH)
    while True:
        made = "".join(choose(PASSWORD_ALPHABET) for _ in range(size))
        kinds = (str.isupper, str.islower, str.isdigit)
        if all(any(kind(character) for character in made) for kind in kinds):
            return made


def password_for_pbx(key: bytes, *, org_id: str, username: str, password: str) -> str:
    """The password that our REGISTER proves, derived from the one that was typed (contract 3.2).

    The first 24 characters of base62(HMAC-SHA256(key, org, username, password)).
    """
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in (org_id.encode(), username.encode(), password.encode()):
        # With its length in front no two triples give the same bytes.
        digest.update(len(part).to_bytes(4, "big") + part)
    return base62(digest.digest())[:PBX_PASSWORD_LENGTH]
