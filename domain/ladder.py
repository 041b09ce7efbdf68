"""A call as a ladder: one lifeline for each host, one arrow for each message, media between them.

The hosts are those that the packets really went to, not those that Via or Contact name. A message
that its sender repeated is one arrow with a count. Times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.call_reading import place_words
from domain.ladder_hosts import OURS, Hosts, Lifeline, OurHosts, SeenHosts
from domain.ladder_media import MediaBand, media_band
from domain.proof_connection import obstacle_words
from domain.replies import shown
from domain.trace import EntryKind, TraceEntry
from domain.transport_failures import failure_words
from sip.call_facts import CallFacts, TargetOutcome
from sip.dialog_state import FailureCause

__all__ = ["Arrow", "Band", "Ladder", "Lifeline", "Remark", "Row", "ladder_of"]

LONG_GAP_MS = 1000.0
"""A pause from here on is drawn as one."""

# Outcomes behind which there are messages, which tell it better.
_WITH_MESSAGES = frozenset({TargetOutcome.CALLED, TargetOutcome.UNAVAILABLE, TargetOutcome.SILENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A message from one lifeline to another; ``source`` and ``target`` are their places.

    ``entries`` are the indices of the message and of its repetitions in the trace, ``last_ms`` is
    when the last of them went. ``delta_ms`` is the time since the arrow before it.
    """

    entries: tuple[int, ...]
    at: datetime
    elapsed_ms: float
    delta_ms: float
    last_ms: float
    source: int
    target: int
    kind: EntryKind
    label: str
    transport: str
    sdp: str | None = None
    note: str | None = None

    @property
    def retransmissions(self) -> int:
        return len(self.entries) - 1

    @property
    def repeated_ms(self) -> float:
        """From the message to its last repetition."""
        return round(self.last_ms - self.elapsed_ms, 3)

    @property
    def after_long_gap(self) -> bool:
        """Whether so much time went by before it that it is shown."""
        return self.delta_ms >= LONG_GAP_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The media of the call between two lifelines."""

    source: int
    target: int
    media: MediaBand


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that no message shows, in a sentence."""

    text: str


Row = Arrow | Band | Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What there is to draw, from top to bottom.

    ``post_dial_delay_ms`` is the time from the first INVITE to the first response that says that it
    rings or speaks (18x), ``setup_ms`` to the answer.
    """

    started_at: datetime | None
    lifelines: tuple[Lifeline, ...]
    rows: tuple[Row, ...]
    post_dial_delay_ms: float | None = None
    setup_ms: float | None = None

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        return tuple(row for row in self.rows if isinstance(row, Arrow))


def ladder_of(
    entries: Sequence[TraceEntry],
    facts: CallFacts | None = None,
    *,
    names: Mapping[str, str] | None = None,
    our_name: str | None = "Trunkline",
) -> Ladder:
    """The ladder of a trace.

    ``facts``, once the call has ended, add its media, the names of its targets and those targets
    that were given up before a message. ``names`` are names by address, over those of ``facts``.
    Without ``our_name`` none of the hosts is this one: the call was seen between others.
    """
    called = {target.address: target.host for target in facts.targets} if facts else {}
    named = called | dict(names or {})
    hosts = OurHosts(named, our_name) if our_name is not None else SeenHosts(named, entries)
    arrows = _arrows(entries, hosts)
    rows: list[Row] = [*_targets_without_messages(facts), *arrows]
    band = _band(facts, hosts)
    if band is not None:
        rows.insert(_place_of_media(rows, entries), band)
    rows += _ending(facts)
    return Ladder(
        started_at=entries[0].at if entries else None,
        lifelines=tuple(hosts.lifelines),
        rows=tuple(rows),
        post_dial_delay_ms=_since_invite(entries, lambda status: 180 <= status < 190),
        setup_ms=_since_invite(entries, lambda status: 200 <= status < 300),
    )


def _arrows(entries: Sequence[TraceEntry], hosts: Hosts) -> list[Arrow]:
    arrows: list[Arrow] = []
    drawn: dict[int, int] = {}
    for entry in entries:
        source, target = hosts.ends_of(entry)
        repeated = drawn.get(entry.repeats) if entry.repeats is not None else None
        if repeated is not None:
            known = arrows[repeated]
            arrows[repeated] = replace(
                known, entries=(*known.entries, entry.index), last_ms=entry.elapsed_ms
            )
            continue
        before = arrows[-1].at if arrows else entry.at
        drawn[entry.index] = len(arrows)
        arrows.append(
            Arrow(
                entries=(entry.index,),
                at=entry.at,
                elapsed_ms=entry.elapsed_ms,
                delta_ms=round((entry.at - before) / timedelta(milliseconds=1), 3),
                last_ms=entry.elapsed_ms,
                source=source,
                target=target,
                kind=entry.kind,
                label=entry.label,
                transport=entry.transport,
                sdp=entry.sdp,
                note=_note(entry),
            )
        )
    return arrows


def _note(entry: TraceEntry) -> str | None:
    broken = f"breaks the grammar: {entry.problem}" if entry.problem is not None else None
    uri = entry.request_uri if entry.method == "INVITE" else None
    called = shown(uri) if uri is not None else None
    return " · ".join(filter(None, (broken, called, entry.note))) or None


def _targets_without_messages(facts: CallFacts | None) -> Iterator[Remark]:
    if facts is None:
        return
    if facts.dns.failure is not None:
        yield Remark(text=shown(f"{facts.dns.name}: {facts.dns.failure}"))
    for target in facts.targets:
        if target.outcome in _WITH_MESSAGES:
            continue
        yield Remark(text=shown(f"{place_words(target)}: {obstacle_words(target)}"))


def _ending(facts: CallFacts | None) -> Iterator[Remark]:
    invite = facts.invite if facts is not None else None
    if invite is None:
        return
    if invite.failure is FailureCause.NO_REPLY:
        yield Remark(text="No reply to the INVITE came.")
    elif invite.failure is FailureCause.TRANSPORT:
        reason = failure_words(invite.failure_reason)
        yield Remark(
            text=f"The connection failed: {reason}." if reason else "The connection failed."
        )


def _band(facts: CallFacts | None, hosts: Hosts) -> Band | None:
    if facts is None or facts.media is None:
        return None
    media = facts.media
    agreed = facts.invite.agreed if facts.invite is not None else None
    return Band(
        source=OURS,
        target=hosts.place((media.source or media.sent_to)[0]),
        media=media_band(media, agreed),
    )


def _place_of_media(rows: Sequence[Row], entries: Sequence[TraceEntry]) -> int:
    """Behind the ACK of the answer, else behind the answer, else at the end."""
    answered = None
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, Arrow):
            continue
        entry = entries[row.entries[0]]
        if entry.kind is EntryKind.SUCCESS and entry.method == "INVITE":
            answered = place
        elif answered is not None and entry.kind is EntryKind.REQUEST and entry.method == "ACK":
            return place
    return len(rows) if answered is None else answered


def _since_invite(entries: Sequence[TraceEntry], wanted: Callable[[int], bool]) -> float | None:
    begun: float | None = None
    for entry in entries:
        if entry.method != "INVITE":
            continue
        if entry.status is None:
            begun = entry.elapsed_ms if begun is None else begun
        elif begun is not None and wanted(entry.status):
            return round(entry.elapsed_ms - begun, 3)
    return None
