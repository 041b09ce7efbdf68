"""What the measurement of the health monitor counts, and that its peers answer in SIP."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.health_ground import KamailioRun
from benchmarks.health_load import LoadedPeer
from benchmarks.health_responder import Arrivals, answer
from benchmarks.health_rounds import NO_LATER, judge_rounds
from domain.health_schedule import DEFAULT_INTERVAL, due_of_seed, seed_of
from sip.message import Response, parse_message
from sip.probe_message import OptionsTemplate, read_reply
from sip.uri import SipUri

PEER = LoadedPeer("127.0.0.9", "tgt_x", seed_of("tgt_x"))


def due(number: int) -> float:
    return due_of_seed(PEER.seed, number, DEFAULT_INTERVAL)


def test_lateness_counts_from_when_a_round_was_due() -> None:
    arrivals = [("127.0.0.9", due(number) + late) for number, late in ((10, 0.2), (11, 0.1))]
    rounds = judge_rounds([PEER], arrivals, due(10) - 1, due(11) + NO_LATER + 1)
    assert (rounds.due, rounds.missed, rounds.requests) == (2, 0, 2)
    assert rounds.lateness == pytest.approx([0.1, 0.2])
    assert rounds.median == pytest.approx(0.15)
    assert rounds.percentile(0.99) == pytest.approx(0.2)


def test_a_round_that_nobody_saw_in_time_was_missed() -> None:
    arrivals = [
        ("127.0.0.9", due(10)),
        ("127.0.0.9", due(11) + NO_LATER + 1),
        ("127.0.0.10", due(11)),
        # Too late to say.
        ("127.0.0.9", due(13)),
    ]
    rounds = judge_rounds([PEER], arrivals, due(10) - 1, due(12) + NO_LATER + 1)
    assert (rounds.due, rounds.missed) == (3, 2)


def test_a_request_that_came_too_early_is_no_rounds() -> None:
    rounds = judge_rounds([PEER], [("127.0.0.9", due(10) - 1)], due(10) - 2, due(10) + NO_LATER + 1)
    assert (rounds.due, rounds.missed, rounds.requests) == (1, 1, 1)


def test_arrivals_survive_the_file(tmp_path: Path) -> None:
    arrivals = Arrivals()
    for number in (3, 1, 70_000):
        arrivals.add(number)
    arrivals.write(tmp_path / "arrivals")
    read = Arrivals.read(tmp_path / "arrivals")
    assert (read.numbers, read.times) == (arrivals.numbers, arrivals.times)


def test_peers_answer_what_the_prober_sends() -> None:
    template = OptionsTemplate(
        transport="udp",
        via_host="127.0.0.1",
        via_port=40_000,
        from_uri=SipUri("sip", "127.0.0.1", "trunkline"),
        user_agent="Probe/1",
    )
    reply = answer(template.render(template.target(SipUri("sip", "127.0.0.9")), b"token"))
    response = parse_message(reply)
    assert isinstance(response, Response)
    assert response.to.tag is not None
    quick = read_reply(reply)
    assert quick is not None
    assert (quick.status, quick.branch) == (200, "z9hG4bKtoken")


def test_kamailio_is_charged_for_what_it_sent_meanwhile() -> None:
    run = KamailioRun(used=0.2, begun=100.0, ended=110.0)
    assert run.microseconds([99.0, 100.0, 105.0, 110.0]) == pytest.approx(100_000)
