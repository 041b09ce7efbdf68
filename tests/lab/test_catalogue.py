from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab.answers import Answers
from lab.catalogue import CATALOGUE, CataloguePeer
from lab.errors import LabError
from lab.lab import lab_network
from sip.message import Request, Response, parse_message
from tests.lab.client import request

DOCUMENT = Path(__file__).parents[2] / "docs" / "lab.md"


def places(peer: CataloguePeer) -> range:
    return range(peer.host, peer.last_host + 1)


def test_every_peer_has_a_name_and_a_place_of_its_own() -> None:
    names = [peer.name for peer in CATALOGUE]
    taken = [place for peer in CATALOGUE for place in places(peer)]
    assert len(set(names)) == len(names)
    assert len(set(taken)) == len(taken)


def test_the_whole_catalogue_fits_into_half_of_the_default_network() -> None:
    assert {place for peer in CATALOGUE for place in places(peer)} <= set(range(1, 127))


def test_the_peers_that_the_product_promises_are_there() -> None:
    assert {peer.name for peer in CATALOGUE} >= {
        "asterisk",
        "kamailio",
        "3cx",
        "cisco",
        "silent",
        "refusing",
        "slow",
        "tls-only",
        "expired-certificate",
        "wrong-name",
        "old-tls",
        "challenge",
        "forbidden",
        "maintenance",
        "garbage",
        "other-address",
        "busy",
        "no-answer",
        "declines",
        "no-codec",
        "srtp-required",
        "srtp-refused",
        "one-way-audio",
        "private-sdp",
        "wrong-srtp-key",
        "fork",
        "late-200",
        "never-sees-ack",
        "bye-at-once",
        "session-interval",
        "bad-extension",
        "session-timers",
        "drops-after-100",
    }


@pytest.mark.parametrize("peer", CATALOGUE, ids=lambda peer: peer.name)
def test_the_guide_describes_every_peer(peer: CataloguePeer) -> None:
    assert f"| `{peer.name}` |" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("peer", CATALOGUE, ids=lambda peer: peer.name)
def test_what_a_peer_answers_is_well_formed(peer: CataloguePeer) -> None:
    asked = parse_message(request("sip:lab.test"))
    assert isinstance(asked, Request)
    answers = Answers(peer.behaviour, "127.0.60.1")
    response = parse_message(answers.to_options(asked).serialize())
    assert isinstance(response, Response)
    assert response.to.tag is not None or response.status == 100
    assert response.vias == asked.vias
    assert (response.call_id, response.cseq, response.from_) == (
        asked.call_id,
        asked.cseq,
        asked.from_,
    )


class TestNetwork:
    def test_any_part_of_loopback_with_room_will_do(self) -> None:
        assert lab_network("127.0.61.128/25") == IPv4Network("127.0.61.128/25")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("192.168.1.0/24", "loopback alone"),
            ("0.0.0.0/0", "loopback alone"),
            ("127.0.60.0/28", "too small"),
            ("127.0.60.0/26", "needs 64 addresses, a /25 or larger"),
            ("127.0.60.1/24", "host bits"),
            ("::1/128", "not an IPv4 network"),
            ("lab", "not an IPv4 network"),
        ],
    )
    def test_everything_else_is_refused_in_one_line(self, text: str, words: str) -> None:
        with pytest.raises(LabError, match=words) as caught:
            lab_network(text)
        assert "\n" not in str(caught.value)
