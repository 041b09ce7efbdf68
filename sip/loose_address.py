"""Who is named in a From, To, P-Asserted-Identity or Request-URI, read without judging it.

Sources: RFC 3261 20.10 and 25.1 (name-addr, addr-spec), RFC 3966 (tel, visual separators), RFC 3325,
RFC 5806. The strict reader is `sip.headers`. Time is linear in the size of the value.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

__all__ = ["MAX_VALUE", "branch_of", "tag_of", "user_of", "users_of"]

MAX_VALUE: Final = 4_096  # characters of a value that are looked at
MAX_USERS: Final = 4  # of one list; RFC 3325 allows two

_QUOTED = re.compile(r'"(?>(?:[^"\\]|\\.)*)"')
_BRACKETED = re.compile(r"<([^<>]*+)")
_TAG = re.compile(r";[ \t]*+tag[ \t]*+=[ \t]*+([^;,\s]++)", re.IGNORECASE)
_BRANCH = re.compile(r";[ \t]*+branch[ \t]*+=[ \t]*+([^;,\s]++)", re.IGNORECASE)
_DIALLED = re.compile(r"\+[0-9.()\-]++")
_SEPARATORS: Final = str.maketrans("", "", ".-()")


def tag_of(value: str) -> str:
    """The tag of a From or To, empty when there is none."""
    value = value[:MAX_VALUE]
    # Behind the URI, since the parameters of a URI may be called tag as well.
    found = _TAG.search(_unquoted(value).rpartition(">")[2])
    return found[1] if found is not None else ""


def branch_of(value: str) -> str:
    """The branch of the topmost hop in a Via, empty when there is none."""
    found = _BRANCH.search(value[:MAX_VALUE])
    return found[1] if found is not None else ""


def user_of(uri: str) -> str | None:
    """The user part of a SIP URI or the number of a tel URI; None when it names nobody.

    Password and parameters are left out, %-escapes decoded, and from what begins with ``+`` visual
    separators are taken away.
    """
    scheme, _, rest = uri[:MAX_VALUE].strip(" \t").partition(":")
    if scheme.lower() in ("sip", "sips"):
        rest, at, _ = rest.partition("@")
        rest = rest.partition(":")[0] if at else ""
    elif scheme.lower() != "tel":
        return None
    user = rest.partition(";")[0]
    if "%" in user:
        user = unquote(user)
    if _DIALLED.fullmatch(user) is not None:
        user = user.translate(_SEPARATORS)
    return user or None


def users_of(value: str) -> tuple[str, ...]:
    """The users of all addresses in a value, in order."""
    value = _unquoted(value[:MAX_VALUE])
    uris = _BRACKETED.findall(value)[:MAX_USERS] if "<" in value else [value]
    return tuple(user for user in map(user_of, uris) if user is not None)


def _unquoted(value: str) -> str:
    """Without display names in quotes, which may hold anything."""
    return _QUOTED.sub("", value) if '"' in value else value
