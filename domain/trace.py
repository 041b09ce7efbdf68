"""A trace: recorded SIP messages, each read for people as far as it can be read.

What a peer sent may be no SIP at all, so nothing here refuses a message; what the strict parser
found wrong is told with it. Secrets are covered before anything is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.replies import shown
from domain.trace_notes import note_of
from domain.trace_sdp import sdp_badge
from sip.capture import CapturedMessage, WireDirection
from sip.errors import RemoteProtocolError
from sip.grammar import bracketed
from sip.header_map import Headers
from sip.loose_message import LooseMessage
from sip.message import parse_message

__all__ = ["EntryKind", "TraceEntry", "TraceReader", "trace_of"]


class EntryKind(StrEnum):
    """What a message is: a request, or a response by the class of its status."""

    REQUEST = "request"
    PROVISIONAL = "provisional"
    SUCCESS = "success"
    REDIRECTION = "redirection"
    FAILURE = "failure"
    UNREADABLE = "unreadable"

    @classmethod
    def of_status(cls, status: int) -> EntryKind:
        """The kind of a response."""
        by_class = {1: cls.PROVISIONAL, 2: cls.SUCCESS, 3: cls.REDIRECTION}
        return by_class.get(status // 100, cls.FAILURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEntry:
    """One message of a trace; text is the peer's but for secrets, which are `*`.

    ``index`` counts from 0. ``delta_ms`` is the time since the message before it, ``elapsed_ms``
    since the first. ``source`` and ``destination`` are address and port, ``IP:port`` with brackets
    around IPv6 in ``source_text`` and ``destination_text``. ``method`` is that of a request, or the
    one that a response answers. ``header_fields`` are in order, names in their registered spelling,
    values unfolded. ``sdp`` names the codecs and the security of a session description, ``note``
    what else the message tells. ``problem`` says what breaks the grammar, None when nothing does.
    ``retransmission``: the sender repeats an earlier message, entry ``repeats``.
    """

    index: int
    at: datetime
    delta_ms: float
    elapsed_ms: float
    direction: WireDirection
    transport: str
    source: tuple[str, int]
    destination: tuple[str, int]
    kind: EntryKind
    method: str | None
    request_uri: str | None
    status: int | None
    reason: str | None
    cseq: int | None
    call_id: str | None
    header_fields: tuple[tuple[str, str], ...]
    body: str
    raw: str
    size: int
    sdp: str | None
    note: str | None
    problem: str | None
    retransmission: bool
    repeats: int | None

    @property
    def source_text(self) -> str:
        return _address_text(self.source)

    @property
    def destination_text(self) -> str:
        return _address_text(self.destination)

    @property
    def label(self) -> str:
        """Method, or status and reason, with the answered method unless that is INVITE."""
        if self.status is not None:
            words = f"{self.status} {self.reason or ''}".rstrip()
            return words if self.method in ("INVITE", None) else f"{words} ({self.method})"
        return self.method or "not SIP"

    @property
    def summary(self) -> str:
        """The message in a line."""
        uri = f" {shown(self.request_uri)}" if self.request_uri else ""
        return ", ".join(filter(None, (f"{self.label}{uri}", self.sdp, self.note)))

    def header(self, name: str) -> str | None:
        """First value of a header field, by its registered name."""
        return next((value for known, value in self.header_fields if known == name), None)

    @property
    def software(self) -> str | None:
        """What the sender says it is: Server, or User-Agent."""
        said = self.header("Server") or self.header("User-Agent")
        return shown(said) or None if said is not None else None


class TraceReader:
    """Reads messages in the order in which they were recorded, as they come.

    ``hide_numbers`` also covers telephone numbers but for their last four digits.
    """

    def __init__(self, *, hide_numbers: bool = False) -> None:
        self._hide_numbers = hide_numbers
        self._first_at: datetime | None = None
        self._previous_at: datetime | None = None
        self._count = 0
        self._seen: dict[tuple[object, ...], int] = {}

    def read(self, message: CapturedMessage) -> TraceEntry:
        """The next entry."""
        message = message.masked(hide_numbers=self._hide_numbers)
        first = self._first_at = self._first_at or message.at
        previous = self._previous_at or message.at
        self._previous_at = message.at
        index = self._count
        self._count += 1
        # A repeated message has the same bytes on the same way (RFC 3261 section 17).
        way = (message.direction, message.local, message.remote, message.data)
        original = self._seen.setdefault(way, index)
        head = _Head.of(message.data)
        kind = head.kind
        return TraceEntry(
            index=index,
            at=message.at,
            delta_ms=_milliseconds(message.at - previous),
            elapsed_ms=_milliseconds(message.at - first),
            direction=message.direction,
            transport=message.transport,
            source=message.source,
            destination=message.destination,
            kind=kind,
            method=head.method,
            request_uri=head.request_uri,
            status=head.status,
            reason=head.reason,
            cseq=head.cseq,
            call_id=head.headers.get("Call-ID"),
            header_fields=head.headers.items(),
            body=head.body.decode("utf-8", "replace"),
            raw=message.data.decode("utf-8", "replace"),
            size=len(message.data),
            sdp=sdp_badge(head.headers.get("Content-Type"), head.body),
            note=note_of(head.method, head.status, head.headers),
            problem=_problem(message.data),
            retransmission=message.retransmission or original != index,
            repeats=original if original != index else None,
        )


def trace_of(
    messages: Iterable[CapturedMessage], *, hide_numbers: bool = False
) -> tuple[TraceEntry, ...]:
    """Every message as an entry, in the given order."""
    reader = TraceReader(hide_numbers=hide_numbers)
    return tuple(map(reader.read, messages))


@dataclass(frozen=True, slots=True)
class _Head:
    """Start line and header fields as far as they are told, bounded where they are shown."""

    method: str | None
    request_uri: str | None
    status: int | None
    reason: str | None
    cseq: int | None
    headers: Headers
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> _Head:
        read = LooseMessage.of(data)
        number, answered = read.cseq or (None, None)
        method = read.method
        if read.status is not None:
            method = shown(answered) if answered is not None else None
        reason = shown(read.reason) if read.reason is not None else None
        return cls(method, read.request_uri, read.status, reason, number, read.headers, read.body)

    @property
    def kind(self) -> EntryKind:
        if self.status is not None:
            return EntryKind.of_status(self.status)
        return EntryKind.REQUEST if self.method is not None else EntryKind.UNREADABLE


def _problem(data: bytes) -> str | None:
    try:
        parse_message(data)
    except RemoteProtocolError as error:
        where = f"{error.header}: " if error.header is not None else ""
        return shown(f"{where}{error.message}")
    return None


def _milliseconds(span: timedelta) -> float:
    return round(span / timedelta(milliseconds=1), 3)


def _address_text(address: tuple[str, int]) -> str:
    return f"{bracketed(address[0])}:{address[1]}"
