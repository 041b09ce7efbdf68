"""A peer that demands a client certificate is told apart, by what the prober really says of it."""

from __future__ import annotations

from dataclasses import replace

from domain.health import Observation, Observed
from domain.health_rule import judge
from domain.trunk_health import HealthWord, word_of
from lab import Lab
from lab.certificates import lab_domain
from tests.sip.net.health import checks, job


async def test_the_word_follows_from_the_probe(lab: Lab) -> None:
    words = {}
    async with checks(lab.ca_file) as told:
        for name in ("client-certificate", "expired-certificate"):
            asked = job(lab.peers[name].address, "tls", key=name)
            reply = await told.ask(replace(asked, domain=lab_domain(name)))
            seen = Observation(reply.sent_at, Observed(reply.kind), detail=reply.detail)
            judged = judge(seen)
            words[name] = word_of(judged.state, [judged.reason])
    assert words == {
        "client-certificate": HealthWord.MUTUAL_TLS,
        "expired-certificate": HealthWord.UNREACHABLE,
    }
