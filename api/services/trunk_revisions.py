"""The revision of a trunk as an entity tag, and the precondition that stops lost updates.

The tag stands for the configuration: which revision the workflow goes by is not part of it
(RFC 9110 sections 8.8.3 and 13.1.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from api.errors import InvalidRequest, PreconditionFailed

__all__ = ["ETAG_HEADER", "MAX_IF_MATCH", "Precondition", "etag_of", "must_match", "precondition"]

ETAG_HEADER: Final = "ETag"
MAX_IF_MATCH: Final = 1024

_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
# A list may have empty elements (RFC 9110 section 5.6.1.2).
_TAGS: Final = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")


@dataclass(frozen=True, slots=True)
class Precondition:
    """What ``If-Match`` demands: one of these strong tags, or with ``None`` any."""

    tags: frozenset[str] | None


def etag_of(revision: int) -> str:
    """The strong entity tag of a revision."""
    return f'"{revision}"'


def precondition(header: str | None) -> Precondition | None:
    """Read ``If-Match``; ``None`` without one. Raises ``InvalidRequest`` for a malformed one."""
    if header is None:
        return None
    if header.strip() == "*":
        return Precondition(None)
    if _TAGS.fullmatch(header) is None:
        raise InvalidRequest(
            'If-Match: must be * or entity tags such as "3", with their quotes', field="If-Match"
        )
    # A weak tag matches nothing: the comparison is a strong one.
    strong = (tag for tag in re.findall(_TAG, header) if not tag.startswith("W/"))
    return Precondition(frozenset(strong))


def must_match(wanted: Precondition | None, revision: int) -> None:
    """Raise ``PreconditionFailed`` unless the trunk is as the caller has seen it.

    Decides only under the organization's configuration lock, for a revision read under it.
    """
    if wanted is None or wanted.tags is None or etag_of(revision) in wanted.tags:
        return
    raise PreconditionFailed(headers={ETAG_HEADER: etag_of(revision)})
