"""What a resolution found and how it came there: values that any layer may keep, show or store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sip.transports import Transport

__all__ = [
    "Lookup",
    "NaptrRecord",
    "Outcome",
    "Resolution",
    "Source",
    "SrvRecord",
    "Target",
    "Try",
]


class Outcome(StrEnum):
    """How one DNS question, or one try at one server, ended."""

    ANSWERED = "answered"
    NO_DATA = "no_data"
    """The name exists, but has no record of this type."""
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    """The server declined the question (RCODE 5), or another RCODE that gives no answer."""
    LAME = "lame"
    """The server only pointed elsewhere: it neither knows the zone nor asks others."""
    MALFORMED = "malformed"
    UNREACHABLE = "unreachable"
    """The network or the server's machine said that no DNS server is there."""
    TIMEOUT = "timeout"
    CNAME_LOOP = "cname_loop"
    CNAME_LIMIT = "cname_limit"

    @property
    def definite(self) -> bool:
        """Whether the DNS gave its word, so that asking again changes nothing before the TTL ends."""
        return self in _DEFINITE


_DEFINITE = frozenset({Outcome.ANSWERED, Outcome.NO_DATA, Outcome.NXDOMAIN})


class Source(StrEnum):
    """Which record or rule gave a target its port and transport."""

    LITERAL = "literal"
    NAPTR = "naptr"
    SRV = "srv"
    A = "a"
    AAAA = "aaaa"


@dataclass(frozen=True, slots=True)
class NaptrRecord:
    """RFC 3403 4.1; `replacement` is lower case without the trailing dot, "." for none."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str
    replacement: str
    ttl: int

    def __str__(self) -> str:
        return (
            f'{self.order} {self.preference} "{self.flags}" "{self.service}" "{self.regexp}" '
            f"{self.replacement}"
        )


@dataclass(frozen=True, slots=True)
class SrvRecord:
    """RFC 2782; `service` is the name it was found under, `target` is lower case, "." for none."""

    service: str
    priority: int
    weight: int
    port: int
    target: str
    ttl: int

    def __str__(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {self.target}"


@dataclass(frozen=True, slots=True)
class Try:
    """One question sent to one server; `transport` is "udp" or "tcp", `ms` is milliseconds."""

    server: str
    transport: str
    outcome: Outcome
    ms: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question of a resolution's trail and its end.

    `question` is the name asked for and `aliases` the names its CNAME records led to. `answers` are
    records in text; `dropped` counts those beyond the limit. `ttl` is the smallest in seconds along
    the alias chain, `None` without an answer from the DNS. `server` is who gave the outcome
    (address:port, or a file), `transport` is "tcp" after a truncated UDP answer. `detail` adds words
    to an outcome that needs them.
    """

    question: str
    rdtype: str
    outcome: Outcome
    answers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    ms: float = 0.0
    server: str | None = None
    transport: str | None = None
    truncated: bool = False
    dropped: int = 0
    detail: str = ""
    tries: tuple[Try, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One place to send a request to.

    `port` and `transport` are `None` only in a survey, where nothing in the DNS says them. `name` is
    the host name whose address this is, `ttl` the seconds for which all records that led here hold,
    `None` when no DNS record did.
    """

    address: str
    port: int | None
    transport: Transport | None
    name: str
    source: Source
    priority: int | None = None
    weight: int | None = None
    ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a host can be reached, in the order in which to try, and how that was found.

    `trail` has every look-up in the order asked, `decisions` a sentence for each choice, `failure` a
    sentence when there is no target. `dropped` counts what the limits cut off: targets, and names that
    were not looked up. `addresses` are the targets' addresses, each once.
    """

    host: str
    targets: tuple[Target, ...]
    resolved_at: datetime
    naptr_records: tuple[NaptrRecord, ...] = ()
    srv_records: tuple[SrvRecord, ...] = ()
    trail: tuple[Lookup, ...] = ()
    decisions: tuple[str, ...] = ()
    failure: str | None = None
    dropped: int = 0

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(target.address for target in self.targets))

    @property
    def expires_at(self) -> datetime | None:
        """When the records of one of the targets first expire; `None` when no TTL is known."""
        ttls = [target.ttl for target in self.targets if target.ttl is not None]
        return self.resolved_at + timedelta(seconds=min(ttls)) if ttls else None
