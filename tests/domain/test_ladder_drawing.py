"""Ladders as SVG and as Mermaid: whole, harmless, readable without colours."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ladder import Ladder, Remark, ladder_of
from domain.ladder_mermaid import ladder_mermaid
from domain.ladder_svg import ladder_svg
from domain.ladder_text import clock, fitting, span, width_of, wrapped, xml_text
from domain.trace import trace_of
from sip.call_facts import CallFacts
from sip.capture import CapturedMessage
from tests.domain.any_calls import FACTS
from tests.domain.calls import answered, target
from tests.domain.test_ladder import MESSAGES
from tests.domain.traces import (
    KEY,
    RESPONSE_DIGEST,
    START,
    UDP,
    Way,
    challenged_call,
    request,
    response,
)

SVG = "{http://www.w3.org/2000/svg}"
TITLE = "Test call tc_1"
# A statement of the sequence diagrams that are written here, and nothing else on its line.
STATEMENT = re.compile(
    r"sequenceDiagram|    title [^#;]*|    participant H[0-9]+ as [^#;]*"
    r"|    Note over H[0-9]+(,H[0-9]+)?: [^#;]*|    H[0-9]+--?>>H[0-9]+: [^#;]*"
)
ENTITY = re.compile(r"#[0-9]+;")


def ladder(messages: list[CapturedMessage] | None = None, facts: CallFacts | None = None) -> Ladder:
    return ladder_of(trace_of(challenged_call() if messages is None else messages), facts)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(root: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def test_the_drawing_shows_every_message_with_its_time() -> None:
    facts = answered(targets=(target(address="203.0.113.5"),))

    shown = texts(parsed(ladder_svg(ladder(facts=facts), title=TITLE)))

    assert shown[:2] == [
        TITLE,
        "2026-03-09 12:00:00.250 UTC · 11 messages · post-dial delay 902 ms · answered after 4.21 s",
    ]
    for words in (
        "Trunkline",
        "sip.example.com",
        "203.0.113.5 port 5060",
        "Asterisk PBX 20.9.2",
        "INVITE",
        "SDP PCMU PCMA SRTP",
        "\N{MULTIPLICATION SIGN}2 in 500 ms",
        "401 Unauthorized",
        'MD5 for realm "asterisk"',
        "12:00:00.781",
        "+532 ms",
        "⋮ 3.31 s later",
        "200 OK (BYE)",
        "Media both ways",
        "RTP PCMU 20 ms",
    ):
        assert words in shown


def test_the_drawing_tells_itself_to_a_screen_reader() -> None:
    root = parsed(ladder_svg(ladder(facts=answered()), title=TITLE))

    assert root.get("role") == "img"
    ids = (root.get("aria-labelledby") or "").split()
    title, words = (next(each for each in root if each.get("id") == name) for name in ids)
    assert (title.tag, title.text) == (f"{SVG}title", TITLE)
    lines = (words.text or "").splitlines()
    assert "12:00:00.781 203.0.113.5 to this host: 401 Unauthorized, MD5 for realm" in lines[2]
    assert "sent 2 times, SDP PCMU PCMA SRTP" in lines[1]
    assert any(line.startswith("Media both ways: RTP PCMU 20 ms, ") for line in lines)


def test_the_drawing_runs_and_loads_nothing() -> None:
    svg = ladder_svg(ladder(facts=answered()), title="<script>alert(1)</script>")

    root = parsed(svg)
    tags = {each.tag.removeprefix(SVG) for each in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "text", "line", "path", "g"}
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]
    style = next(root.iter(f"{SVG}style")).text or ""
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme:dark" in style


def test_what_a_peer_says_stays_text() -> None:
    hostile = '</text><script>x</script>&"\x01\ud800'
    messages = [UDP.received(0, response(503, "Broken & <b>")), UDP.received(1, request("a<b"))]

    root = parsed(ladder_svg(ladder(messages), title=hostile))

    shown = texts(root)
    assert "503 Broken & <b>" in shown
    assert shown[0].startswith("</text><script>x</script>&")
    assert not list(root.iter(f"{SVG}script"))


def test_no_message_makes_a_drawing_that_says_so() -> None:
    root = parsed(ladder_svg(ladder([]), title=TITLE))

    assert "No SIP message went either way." in texts(root)


def test_requests_and_responses_differ_in_shape() -> None:
    root = parsed(ladder_svg(ladder(), title=TITLE))

    arrows = [each for each in root.iter(f"{SVG}g") if "arrow" in (each.get("class") or "")]
    heads = {
        (each.get("class") or "").split()[1]: next(each.iter(f"{SVG}path")).get("class")
        for each in arrows
    }
    assert heads == {
        "request": "closed",
        "failure": "open",
        "provisional": "open",
        "success": "open",
    }


def test_everything_stays_inside_the_drawing() -> None:
    long = "a" * 300 + ", " + "b" * 300
    peers = [Way(remote=(f"203.0.113.{number}", 5060)) for number in range(1, 7)]
    messages = [way.received(0, response(486, long, headers=[f"Server: {long}"])) for way in peers]
    wide = ladder(messages, answered(media={"source": ("198.51.100.99", 1)}))
    wide = replace(wide, rows=(Remark(text=long), *wide.rows))

    root = parsed(ladder_svg(wide, title=long))

    width, height = (float(root.get(name) or 0) for name in ("width", "height"))
    for each in root.iter(f"{SVG}text"):
        kind = (each.get("class") or "").split()
        size = 16 if "title" in kind else 13 if {"label", "word", "name"} & {*kind} else 12
        taken = width_of(each.text or "", size)
        x, y = float(each.get("x") or 0), float(each.get("y") or 0)
        left = x - taken / 2 if "middle" in kind else x - taken if "end" in kind else x
        assert left >= 0
        assert left + taken <= width
        assert 0 < y < height


@given(MESSAGES, st.none() | FACTS, st.text(max_size=30))
@settings(max_examples=100)
def test_any_ladder_is_a_well_formed_drawing(
    messages: list[CapturedMessage], facts: CallFacts | None, title: str
) -> None:
    parsed(ladder_svg(ladder(messages, facts), title=title))


def test_the_diagram_has_a_statement_for_everything() -> None:
    facts = answered(targets=(target(address="203.0.113.5"),), media={"source": ("203.0.113.5", 9)})

    lines = ladder_mermaid(ladder(facts=facts), title=TITLE).splitlines()

    assert lines[:6] == [
        "sequenceDiagram",
        "    title Test call tc_1",
        "    participant H0 as Trunkline",
        "    participant H1 as sip.example.com<br/>203.0.113.5<br/>Asterisk PBX 20.9.2",
        "    Note over H0,H1: 2026-03-09 12:00:00.250 UTC",
        "    H0->>H1: INVITE (SDP PCMU PCMA SRTP) \N{MULTIPLICATION SIGN}2 in 500 ms"
        "<br/>sip:+14155550100@sip.example.com",
    ]
    assert "    H1-->>H0: 180 Ringing +354 ms" in lines
    assert "    Note over H0,H1: 3.31 s later" in lines
    assert any(
        line.startswith("    Note over H0,H1: Media both ways<br/>RTP PCMU") for line in lines
    )
    assert lines[-1] == "    H1-->>H0: 200 OK (BYE) +41 ms"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a;b#c", "a#59;b#35;c"),
        ("%%{init: {}}%%", "#37;#37;#123;init: #123;#125;#125;#37;#37;"),
        ("<b>&$$x$$", "#60;b#62;#38;#36;#36;x#36;#36;"),
        ("a\nb\u2028c", "a#10;b#8232;c"),
    ],
)
def test_a_diagram_holds_text_that_means_something_to_mermaid(text: str, escaped: str) -> None:
    source = ladder_mermaid(ladder([]), title=text)

    assert source.splitlines()[1] == f"    title {escaped}"


@given(MESSAGES, st.none() | FACTS, st.text(max_size=30))
@settings(max_examples=100)
def test_any_ladder_is_a_diagram_of_statements(
    messages: list[CapturedMessage], facts: CallFacts | None, title: str
) -> None:
    source = ladder_mermaid(ladder(messages, facts), title=title)

    lines = source.removesuffix("\n").split("\n")
    for line in lines:
        assert STATEMENT.fullmatch(ENTITY.sub("", line)), line
    for line in source.splitlines():
        assert line in lines


@pytest.mark.parametrize("form", [ladder_svg, ladder_mermaid])
def test_no_form_shows_a_secret(form: type) -> None:
    text = form(ladder(facts=answered()), title=TITLE)

    for secret in (RESPONSE_DIGEST, KEY, "f00d", "0a4f113b"):
        assert secret not in text


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0.0, "0.0 ms"),
        (-30.0, "0.0 ms"),
        (0.44, "0.4 ms"),
        (31.5, "32 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (4210.7, "4.21 s"),
        (59_994.0, "59.99 s"),
        (59_999.0, "1 min 0 s"),
        (125_400.0, "2 min 5 s"),
    ],
)
def test_spans_are_told_as_people_say_them(milliseconds: float, words: str) -> None:
    assert span(milliseconds) == words


def test_the_clock_is_utc_to_the_millisecond() -> None:
    assert clock(START) == "12:00:00.250"


@given(st.text(max_size=80), st.floats(20, 400))
@settings(max_examples=100)
def test_fitting_text_fits(text: str, width: float) -> None:
    assert width_of(fitting(text, 12, width), 12) <= width
    for line in wrapped(text, 12, width):
        assert width_of(line, 12) <= width


def test_text_that_fits_is_whole_and_other_text_says_that_it_is_cut() -> None:
    assert fitting("486 Busy Here", 13, 200) == "486 Busy Here"
    assert fitting("486 Busy Here", 13, 60).endswith("…")
    assert wrapped("one, two, three", 12, 60) == ["one, two", "three"]


def test_wide_and_combining_characters_are_reckoned() -> None:
    assert width_of("電話", 10) == 20
    assert width_of("e\u0301", 10) == width_of("e", 10)


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert xml_text("\x00a\tb\ufffe<\ud800") == "\ufffda\tb\ufffd&lt;\ufffd"
