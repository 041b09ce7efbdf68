"""Reading a DNS server's answer (RFC 1035 section 4) without letting a hostile one cost anything.

dnspython decodes names and record data. Its whole-message parser is not used: the cost of its record
sets grows with the square of a name's labels, so one answer of 16 KiB can hold the event loop for
seconds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

__all__ = ["MAX_ANSWER_BYTES", "Answer", "MalformedAnswer", "Query", "Record", "read_answer"]

# 32 SRV records with targets of full length take 9 KiB.
MAX_ANSWER_BYTES = 16_384
# Far above the record limits of a resolution; the rest would be thrown away.
_MAX_RECORDS = 256
# Labels of all names in one answer: 256 records with two names of seven labels fit.
_MAX_LABELS = 4_000

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_OPCODE_MASK = 0x7800
_RCODE_MASK = 0x000F
# RFC 2181 section 8: a TTL with the top bit set is to be read as zero.
_MAX_TTL = 2**31 - 1
# RFC 9715 3.1: answers up to this size are not fragmented on the way.
_UDP_PAYLOAD = 1_232

_DECODED = frozenset(
    {
        dns.rdatatype.A,
        dns.rdatatype.AAAA,
        dns.rdatatype.CNAME,
        dns.rdatatype.NAPTR,
        dns.rdatatype.SRV,
    }
)


class MalformedAnswer(Exception):
    """A server's answer breaks the format or a limit; the text says how."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question on the wire, with an id of its own."""

    id: int
    name: dns.name.Name
    rdtype: dns.rdatatype.RdataType
    wire: bytes

    @classmethod
    def of(cls, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, *, edns: bool) -> Query:
        message = dns.message.make_query(
            name, rdtype, use_edns=0 if edns else False, payload=_UDP_PAYLOAD
        )
        return cls(message.id, name, rdtype, message.to_wire())


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer section, `ttl` in seconds."""

    owner: dns.name.Name
    ttl: int
    rdata: dns.rdata.Rdata


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server said; `records` is the answer section, the types we ask for only."""

    rcode: int
    truncated: bool
    authoritative: bool
    recursion_available: bool
    records: tuple[Record, ...] = ()
    has_soa: bool = False
    has_referral: bool = False


def read_answer(wire: bytes, query: Query) -> Answer | None:
    """Decode an answer; `None` when it is none to this question (another id or another question).

    Raises `MalformedAnswer`.
    """
    if len(wire) < _HEADER.size:
        return None
    identifier, flags, questions, answers, authorities, _ = _HEADER.unpack_from(wire)
    if identifier != query.id or not flags & dns.flags.QR or flags & _OPCODE_MASK:
        return None
    if len(wire) > MAX_ANSWER_BYTES:
        raise MalformedAnswer(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    if answers + authorities > _MAX_RECORDS:
        raise MalformedAnswer(f"the answer has more than {_MAX_RECORDS} records")
    try:
        return _Reader(wire, query).read(flags, questions, answers, authorities)
    except (dns.exception.DNSException, struct.error) as error:
        raise MalformedAnswer(f"the answer cannot be decoded ({type(error).__name__})") from error


class _Reader:
    def __init__(self, wire: bytes, query: Query) -> None:
        self._wire = wire
        self._query = query
        self._position = _HEADER.size
        self._labels = 0

    def read(self, flags: int, questions: int, answers: int, authorities: int) -> Answer | None:
        rcode = flags & _RCODE_MASK
        # A server that could not read or will not touch the question may leave it out.
        if not (questions == 0 and rcode) and not self._is_our_question(questions):
            return None
        truncated = bool(flags & dns.flags.TC)
        authoritative = bool(flags & dns.flags.AA)
        recursion_available = bool(flags & dns.flags.RA)
        if truncated or questions == 0:
            return Answer(rcode, truncated, authoritative, recursion_available)
        records = [record for _ in range(answers) if (record := self._record()[1]) is not None]
        authority = {self._record()[0] for _ in range(authorities)}
        return Answer(
            rcode,
            truncated,
            authoritative,
            recursion_available,
            tuple(records),
            has_soa=dns.rdatatype.SOA in authority,
            has_referral=dns.rdatatype.NS in authority,
        )

    def _is_our_question(self, questions: int) -> bool:
        if questions != 1:
            return False
        name = self._name()
        rdtype, rdclass = _QUESTION.unpack_from(self._wire, self._position)
        self._position += _QUESTION.size
        ours = (self._query.name, self._query.rdtype, dns.rdataclass.IN)
        return (name, rdtype, rdclass) == ours

    def _record(self) -> tuple[int, Record | None]:
        owner = self._name()
        rdtype, rdclass, ttl, length = _RECORD.unpack_from(self._wire, self._position)
        start = self._position + _RECORD.size
        self._position = start + length
        if self._position > len(self._wire):
            raise dns.exception.FormError
        if rdclass != dns.rdataclass.IN or rdtype not in _DECODED:
            return rdtype, None
        rdata = dns.rdata.from_wire(rdclass, rdtype, self._wire, start, length)
        for name in (getattr(rdata, "target", None), getattr(rdata, "replacement", None)):
            if name is not None:
                self._count(name)
        return rdtype, Record(owner, ttl if ttl <= _MAX_TTL else 0, rdata)

    def _name(self) -> dns.name.Name:
        name, length = dns.name.from_wire(self._wire, self._position)
        self._position += length
        self._count(name)
        return name

    def _count(self, name: dns.name.Name) -> None:
        self._labels += len(name)
        if self._labels > _MAX_LABELS:
            raise MalformedAnswer(f"the answer's names have more than {_MAX_LABELS} labels")
