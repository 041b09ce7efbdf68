"""What a probe says about a peer's TLS."""

from __future__ import annotations

import secrets

import pytest

from lab import Lab
from sip.net.probe_report import ProbeIdentity, ProbeOutcome, ProbeReport, ProbeTarget
from sip.net.prober import Prober
from sip.net.wire import WireRecord
from tests.sip.net.probing import (
    prober_of,
    target_of,
)
from tests.sip.net.stacks import LOOPBACK

pytestmark = pytest.mark.usefixtures("loop_errors")


class TestTlsFacts:
    async def facts(self, lab: Lab, prober: Prober, name: str) -> ProbeReport:
        report = await prober.probe(target_of(lab, name, "tls", 5061))
        assert report.tls is not None
        return report

    async def test_a_good_certificate_verifies(self, lab: Lab, prober: Prober) -> None:
        report = await self.facts(lab, prober, "tls-only")
        assert report.tls is not None
        assert (report.tls.version, report.tls.verifies) == ("TLSv1.3", True)
        assert (report.tls.problem, report.tls.notes) == (None, ())
        (leaf,) = report.tls.chain
        assert leaf.issuer == "Trunkline lab CA"
        assert f"IP:{lab.peers['tls-only'].address}" in leaf.names

    async def test_the_domain_that_was_asked_for_is_what_counts(
        self, lab: Lab, prober: Prober
    ) -> None:
        address = lab.peers["tls-only"].address
        for host, verifies in (("tls-only.lab.trunkline.test", True), ("pbx.example.com", False)):
            report = await prober.probe(ProbeTarget(address, 5061, "tls", host))
            assert report.outcome is ProbeOutcome.ANSWERED
            assert report.tls is not None
            assert report.tls.verifies is verifies

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("expired-certificate", "certificate has expired"),
            ("self-signed", "self-signed certificate"),
            ("wrong-name", "the certificate names DNS:sip.other-customer.example"),
        ],
    )
    async def test_a_bad_one_is_shown_with_the_reason(
        self, lab: Lab, prober: Prober, name: str, words: str
    ) -> None:
        report = await self.facts(lab, prober, name)
        assert report.tls is not None
        assert report.tls.verifies is False
        assert report.tls.problem is not None
        assert words in report.tls.problem
        assert len(report.tls.chain) == 1
        assert report.response is not None

    async def test_without_the_labs_authority_nothing_of_it_verifies(self, lab: Lab) -> None:
        unaware = ProbeIdentity(user_agent="Trunkline/test (+https://trunkline.test)")
        async with Prober(
            guard=LOOPBACK, identity=unaware, token=lambda: secrets.token_hex(8)
        ) as prober:
            report = await self.facts(lab, prober, "tls-only")
        assert report.tls is not None
        assert report.tls.problem == "unable to get local issuer certificate"

    async def test_an_old_version_is_named(self, lab: Lab, prober: Prober) -> None:
        report = await prober.probe(target_of(lab, "old-tls", "tls", 5061))
        assert (report.outcome, report.detail) == (ProbeOutcome.TLS_OLD_VERSION, "TLSv1.1")

    async def test_nothing_of_sip_goes_over_an_old_version(self, lab: Lab) -> None:
        seen: list[WireRecord] = []
        async with prober_of(lab, tap=seen.append) as prober:
            await prober.probe(target_of(lab, "old-tls", "tls", 5061))
        assert seen == []
