"""The header fields of a message, in order, under one spelling of each name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, final

from sip.errors import LocalProtocolError
from sip.grammar import is_token, shown

# RFC 3261 section 20, its extensions that peers send, and the compact forms registered with IANA.
_NAMES = (
    "Accept", "Accept-Contact", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow",
    "Allow-Events", "Authentication-Info", "Authorization", "Call-ID", "Call-Info", "Contact",
    "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
    "Content-Type", "CSeq", "Date", "Diversion", "Error-Info", "Event", "Expires", "From",
    "History-Info", "Identity", "Identity-Info", "In-Reply-To", "Join", "Max-Forwards",
    "MIME-Version", "Min-Expires", "Min-SE", "Organization", "P-Access-Network-Info",
    "P-Asserted-Identity", "P-Called-Party-ID", "P-Charging-Vector", "P-Early-Media",
    "P-Preferred-Identity", "Path", "Priority", "Privacy", "Proxy-Authenticate",
    "Proxy-Authorization", "Proxy-Require", "RAck", "Reason", "Record-Route", "Recv-Info",
    "Refer-To", "Referred-By", "Reject-Contact", "Remote-Party-ID", "Replaces", "Reply-To",
    "Request-Disposition", "Require", "Retry-After", "Route", "RSeq", "Server", "Service-Route",
    "Session-Expires", "SIP-ETag", "SIP-If-Match", "Subject", "Subscription-State", "Supported",
    "Timestamp", "To", "Unsupported", "User-Agent", "Via", "Warning", "WWW-Authenticate",
)  # fmt: skip
_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To",
    "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
    "y": "Identity",
}  # fmt: skip
_BY_LOWER: Final = {name.lower(): name for name in _NAMES} | _COMPACT
# The spellings that are nearly always used find their name without being lower-cased first.
KNOWN_SPELLINGS: Final = _BY_LOWER | {name: name for name in _NAMES}


def canonical_name(name: str) -> str:
    """Return the registered spelling of a header name or compact form; an unknown name as it is."""
    return KNOWN_SPELLINGS.get(name) or _BY_LOWER.get(name.lower(), name)


def _key(name: str) -> str:
    known = KNOWN_SPELLINGS.get(name)
    if known is not None:
        return known
    lower = name.lower()
    return _BY_LOWER.get(lower, lower)


@final
class Headers:
    """An immutable, ordered multi-map of header names to raw values.

    Names are stored in their registered spelling (`v` becomes `Via`), unknown ones as given, and
    found and compared in any case and in compact form. Values are unfolded and stripped text, not
    yet parsed.
    """

    __slots__ = ("_index", "_items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        """Raises LocalProtocolError for a name that is not a token."""
        pairs = []
        for name, value in items:
            if not is_token(name):
                raise LocalProtocolError(f"{shown(name)} is not a header name")
            pairs.append((canonical_name(name), value))
        self._items = tuple(pairs)
        self._index: dict[str, list[str]] | None = None

    @classmethod
    def of_canonical(cls, items: tuple[tuple[str, str], ...]) -> Headers:
        """Wrap pairs whose names are already in the spelling of `canonical_name`."""
        headers = cls.__new__(cls)
        headers._items = items
        headers._index = None
        return headers

    def _values(self, name: str) -> list[str]:
        if self._index is None:
            index: dict[str, list[str]] = {}
            for key, value in self._items:
                index.setdefault(_key(key), []).append(value)
            self._index = index
        return self._index.get(_key(name), [])

    def get(self, name: str) -> str | None:
        """Return the first value under `name`, None when there is none."""
        values = self._values(name)
        return values[0] if values else None

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return every value under `name`, in order."""
        return tuple(self._values(name))

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return all pairs in order."""
        return self._items

    def with_added(self, name: str, value: str, *, front: bool = False) -> Headers:
        """Return a copy with one more field, at the end or in front of all others."""
        added = Headers(((name, value),))._items
        return Headers.of_canonical(added + self._items if front else self._items + added)

    def with_set(self, name: str, value: str) -> Headers:
        """Return a copy with exactly one `name` field, where the first one stood or at the end."""
        ((name, value),) = Headers(((name, value),))._items
        key = _key(name)
        items = []
        pending = True
        for pair in self._items:
            if _key(pair[0]) != key:
                items.append(pair)
            elif pending:
                items.append((name, value))
                pending = False
        if pending:
            items.append((name, value))
        return Headers.of_canonical(tuple(items))

    def without(self, name: str) -> Headers:
        """Return a copy without any `name` field."""
        key = _key(name)
        return Headers.of_canonical(tuple(pair for pair in self._items if _key(pair[0]) != key))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._values(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._items == other._items or self._folded() == other._folded()

    def __hash__(self) -> int:
        return hash(self._folded())

    def _folded(self) -> tuple[tuple[str, str], ...]:
        return tuple((_key(name), value) for name, value in self._items)

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"
