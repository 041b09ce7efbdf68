"""The torture messages of RFC 4475 and RFC 5118 with what the RFCs ask of a receiver."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from sip.message import Request, Response, parse_message

CORPORA = Path(__file__).parent.parent / "corpora"


@dataclass(frozen=True)
class Expectation:
    corpus: str
    file: str
    kind: str


def expectations(corpus: str, *kinds: str) -> list[Expectation]:
    with (CORPORA / corpus / "expectations.tsv").open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Expectation(corpus, row["file"], row["kind"])
            for row in rows
            if not kinds or row["kind"] in kinds
        ]


def raw(file: str, corpus: str = "rfc4475") -> bytes:
    return (CORPORA / corpus / file).read_bytes()


def request(file: str, corpus: str = "rfc4475") -> Request:
    message = parse_message(raw(file, corpus))
    assert isinstance(message, Request)
    return message


def response(file: str, corpus: str = "rfc4475") -> Response:
    message = parse_message(raw(file, corpus))
    assert isinstance(message, Response)
    return message


def every_message() -> list[bytes]:
    return [
        path.read_bytes()
        for folder in ("rfc4475", "rfc5118")
        for path in sorted((CORPORA / folder).glob("*.dat"))
    ]
