"""Hostile sizes: limits stand in front of the grammar, and the grammar is linear behind them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

import pytest

from sip.errors import RemoteProtocolError
from sip.grammar import controls_are_quoted
from sip.header_rules import LISTS, SINGLE
from sip.headers import (
    parse_contacts,
    parse_cseq,
    parse_name_addr,
    parse_token_list,
    parse_via,
    split_commas,
)
from sip.message import MAX_BODY, MAX_HEADER_BYTES, MAX_HEADERS, MAX_LINE, parse_message
from sip.uri import parse_uri
from tests.sip.wire import refusal, wire

T = TypeVar("T")
HUGE = 60_000
MODULES = [
    importlib.import_module(f"sip.{name}")
    for name in ("grammar", "uri", "via", "headers", "header_rules", "message_parser", "stream", "uas")
]  # fmt: skip


def _line(length: int) -> str:
    return "Subject: " + "x" * (length - len("Subject: "))


def test_a_header_line_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert parse_message(wire(_line(MAX_LINE)))
    error = refusal(wire(_line(MAX_LINE + 1)))
    assert (error.status_hint, error.header) == (513, None)


def test_folding_does_not_stretch_a_line_beyond_the_limit() -> None:
    assert refusal(wire(_line(5000) + "\r\n " + "y" * 5000)).status_hint == 513


def test_a_start_line_beyond_the_limit_is_414() -> None:
    uri = "sip:" + "u" * MAX_LINE + "@h"
    assert refusal(wire(start=f"OPTIONS {uri} SIP/2.0")).status_hint == 414


def test_there_may_be_as_many_header_fields_as_the_limit_and_no_more() -> None:
    assert len(parse_message(wire(*["X-A: 1"] * (MAX_HEADERS - 5))).headers) == MAX_HEADERS
    assert refusal(wire(*["X-A: 1"] * (MAX_HEADERS - 4))).status_hint == 513


def test_the_head_may_be_as_long_as_the_limit_and_no_longer() -> None:
    lines = [_line(MAX_LINE)] * 7
    rest = MAX_HEADER_BYTES - (len(wire(*lines)) - 4) - 2
    assert parse_message(wire(*lines, _line(rest)))
    assert refusal(wire(*lines, _line(rest + 1))).status_hint == 513
    assert refusal(b"x" * (MAX_HEADER_BYTES + 1)).status_hint == 513


def test_the_body_may_be_as_long_as_the_limit_and_no_longer() -> None:
    body = b"x" * MAX_BODY
    assert len(parse_message(wire() + body).body) == MAX_BODY
    assert len(parse_message(wire(f"l: {MAX_BODY}") + body).body) == MAX_BODY
    assert refusal(wire() + body + b"x").status_hint == 413
    error = refusal(wire(f"l: {MAX_BODY + 1}") + body + b"x")
    assert (error.status_hint, error.header) == (413, "Content-Length")


# What makes a backtracking matcher try again and again: long runs that two parts of a pattern could
# share, and an end that fits neither.
HOSTILE = {
    "spaces": " " * HUGE + "!",
    "tokens and spaces": "a " * (HUGE // 2) + "\\",
    "quotes": '"' * HUGE,
    "an open quote": '"' + "a" * HUGE,
    "escaped quotes": '"' + '\\"' * (HUGE // 2),
    "quoted strings": '"a" ' * (HUGE // 4) + '"',
    "brackets": "<" * HUGE,
    "square brackets": "[" * HUGE,
    "colons": "sip:[" + ":" * HUGE + "]",
    "three colons": "sip:[" + ":::1.1" * (HUGE // 6) + "]",
    "commas": "," * HUGE,
    "semicolons": "a;" * (HUGE // 2),
    "parameters": "sip:a@b" + "".join(f";p{i}={i}" for i in range(HUGE // 10)),
    "repeated parameters": "<sip:a@b>" + ";a=b" * (HUGE // 4),
    "spaced parameters": "SIP/2.0/UDP a" + " ; " * (HUGE // 3),
    "Vias": "SIP/2.0/UDP a;branch=b," * (HUGE // 23),
    "addresses": "<sip:a@b>;q=0.1 , " * (HUGE // 18),
    "users": "sip:" + "a:" * (HUGE // 2) + "@",
    "user and no host": "sip:" + "a" * HUGE + "@",
    "escapes": "sip:" + "%41" * (HUGE // 3),
    "half escapes": "sip:" + "%4" * (HUGE // 2) + "@h",
    "labels": "sip:" + "a-" * (HUGE // 2),
    "dots": "sip:a" + ".a" * (HUGE // 2) + "..",
    "URI headers": "sip:a?" + "a=b&" * (HUGE // 4),
    "digits": "9" * HUGE,
    "number and spaces": "1" + " " * HUGE + "a b",
    "dashes": "tel:+" + "-" * HUGE,
    "authentication": "Digest " + 'a="b", ' * (HUGE // 7),
    "token68": "Digest " + "a" * HUGE + "=" * 9 + "!",
    "warnings": '399 a "b", ' * (HUGE // 11),
    "comments": "1 (" + "(" * HUGE,
    "comment escapes": "1 (" + "\\(" * (HUGE // 2),
    "controls": "\\\0" * (HUGE // 2),
    "quoted controls": '"\\\0" ' * (HUGE // 5) + "\0",
}
READERS: list[Callable[[str], object]] = [
    parse_uri,
    parse_via,
    parse_name_addr,
    parse_contacts,
    parse_cseq,
    parse_token_list,
    split_commas,
    controls_are_quoted,
    *SINGLE.values(),
    *LISTS.values(),
]


def _complaint(read: Callable[[T], object], hostile: T) -> str:
    try:
        read(hostile)
    except RemoteProtocolError as error:
        return str(error)
    return ""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_reader_goes_over_hostile_text_more_than_a_few_times(text: str) -> None:
    complaints = [complaint for read in READERS if (complaint := _complaint(read, text))]
    assert complaints
    assert max(map(len, complaints)) < 200


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_message_full_of_hostile_lines_is_refused_or_read_at_once(text: str) -> None:
    line = text[: MAX_LINE - 40]
    for name in ("Via", "Contact", "Route", "Warning", "Subject", "WWW-Authenticate"):
        data = wire(*[f"{name}: {line}"] * 7)
        assert len(data) < MAX_HEADER_BYTES
        assert len(_complaint(parse_message, data)) < 200


def _patterns(module: ModuleType) -> list[re.Pattern[str] | re.Pattern[bytes]]:
    return [value for value in vars(module).values() if isinstance(value, re.Pattern)]


def _outside_classes(pattern: re.Pattern[str] | re.Pattern[bytes]) -> str:
    """The pattern with a letter for each escape and each character class."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    return re.sub(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", "C", re.sub(r"\\[^\]\[]", "E", text))


def _without_what_gives_nothing_back(text: str) -> str:
    """The pattern without possessive quantifiers and without groups that are atomic or repeat none."""
    text = text.replace("*+", "").replace("++", "").replace("?+", "")
    while True:
        less = re.sub(r"\(\?>\(\?:[^()*+]*\)[*+?]\)|\((?:\?[:>])?[^()*+]*\)(?![*+])", "G", text)
        if less == text:
            return text
        text = less


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_every_unbounded_repetition_gives_nothing_back(module: ModuleType) -> None:
    patterns = _patterns(module)
    assert patterns
    for pattern in patterns:
        rest = _without_what_gives_nothing_back(_outside_classes(pattern))
        assert not re.search(r"[*+]", rest), f"{module.__name__}: {pattern.pattern!r}, {rest!r}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_no_group_is_possessive(module: ModuleType) -> None:
    # Python 3.11.0 to 3.11.4 match possessive groups wrongly; an atomic group says the same.
    for pattern in _patterns(module):
        assert not re.search(r"\)[*+?]\+", _outside_classes(pattern)), pattern.pattern
