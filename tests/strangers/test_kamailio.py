"""The prober and the fingerprint against a Kamailio."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import PIPE

import pytest

from activities.attempts import attempt_of
from domain.attempts import AttemptOutcome, CandidateSource
from domain.discovery_plan import Candidate
from domain.fingerprint import identify, observation_of
from sip.net.probe_report import ProbeOutcome, ProbeReport, ProbeTarget
from sip.transports import Transport
from tests.strangers.conftest import Kamailios, OpenProber
from tests.support.kamailio import REALM, Kamailio
from tests.support.programs import require_program

pytestmark = pytest.mark.peer

TRANSPORTS = ("udp", "tcp", "tls")

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


def target(kamailio: Kamailio, transport: str, host: str | None = None) -> ProbeTarget:
    return ProbeTarget(
        address=kamailio.address,
        port=kamailio.port(transport),
        transport=transport,
        host=host or kamailio.address,
    )


async def installed_version() -> str:
    program = require_program("kamailio", "kamailio")
    process = await asyncio.create_subprocess_exec(program, "-v", stdout=PIPE, stderr=PIPE)
    said, _ = await process.communicate()
    found = re.search(rb"kamailio (\d+\.\d+\.\d+)", said)
    assert found is not None
    return found[1].decode()


@every_transport
async def test_an_open_kamailio_is_answered_with_its_banner(
    kamailios: Kamailios, open_prober: OpenProber, transport: str
) -> None:
    async with open_prober(ca_file=kamailios.open.ca_file) as prober:
        report = await prober.probe(target(kamailios.open, transport))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.response is not None
    assert report.response.status == 200
    server = report.response.headers.get("Server")
    assert server is not None
    assert server.startswith(f"kamailio ({await installed_version()} ")
    assert report.source is None
    assert report.response_time_ms is not None
    assert 0 < report.response_time_ms < 1000
    assert (report.connect_ms is None) == (transport == "udp")


@pytest.mark.parametrize("by", ["address", "domain"])
async def test_its_certificate_verifies_with_its_authority(
    kamailios: Kamailios, open_prober: OpenProber, by: str
) -> None:
    kamailio = kamailios.open
    host = kamailio.address if by == "address" else kamailio.domain
    async with open_prober(ca_file=kamailio.ca_file) as prober:
        report = await prober.probe(target(kamailio, "tls", host))
    assert report.tls is not None
    assert report.tls.verifies
    assert report.tls.problem is None
    assert report.tls.version == "TLSv1.3"
    assert set(report.tls.chain[0].names) == {
        f"IP:{kamailio.address}",
        f"DNS:{kamailio.domain}",
        f"URI:sip:{kamailio.domain}",
    }


async def test_without_its_authority_it_answers_and_is_said_not_to_verify(
    kamailios: Kamailios, open_prober: OpenProber
) -> None:
    async with open_prober() as prober:
        report = await prober.probe(target(kamailios.open, "tls"))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.tls is not None
    assert not report.tls.verifies
    assert report.tls.problem == "unable to get local issuer certificate"


async def test_a_certificate_for_another_name_is_said_to_be_one(
    kamailios: Kamailios, open_prober: OpenProber
) -> None:
    async with open_prober(ca_file=kamailios.open.ca_file) as prober:
        report = await prober.probe(target(kamailios.open, "tls", "sip.example.com"))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.tls is not None
    assert not report.tls.verifies
    assert "not sip.example.com" in (report.tls.problem or "")


@every_transport
@pytest.mark.parametrize(
    ("which", "status", "field", "algorithm"),
    [
        ("md5", 401, "WWW-Authenticate", "MD5"),
        ("sha256", 401, "WWW-Authenticate", "SHA-256"),
        ("proxy", 407, "Proxy-Authenticate", "MD5"),
    ],
)
async def test_a_challenge_counts_as_an_answer_and_names_its_algorithm(
    kamailios: Kamailios,
    open_prober: OpenProber,
    transport: str,
    which: str,
    status: int,
    field: str,
    algorithm: str,
) -> None:
    async with open_prober() as prober:
        report = await prober.probe(target(getattr(kamailios, which), transport))
    assert report.outcome is ProbeOutcome.ANSWERED
    assert report.response is not None
    assert report.response.status == status
    challenge = report.response.headers.get(field)
    assert challenge is not None
    # Kamailio leaves the default algorithm out.
    assert ("algorithm=SHA-256" in challenge) == (algorithm == "SHA-256")
    assert f'realm="{REALM}"' in challenge
    assert _attempt(report).reply is not None


async def test_who_drops_options_is_silent_over_udp_and_connected_otherwise(
    kamailios: Kamailios, open_prober: OpenProber
) -> None:
    kamailio = kamailios.dropping
    async with open_prober(ca_file=kamailio.ca_file) as prober:
        reports = await asyncio.gather(
            *(prober.probe(target(kamailio, each), seconds=0.7) for each in TRANSPORTS)
        )
    assert [report.outcome for report in reports] == [
        ProbeOutcome.SILENT,
        ProbeOutcome.CONNECTED_SILENT,
        ProbeOutcome.CONNECTED_SILENT,
    ]
    assert reports[2].tls is not None
    assert reports[2].tls.verifies


@pytest.mark.parametrize("which", ["open", "md5", "proxy"])
async def test_it_is_recognized_with_its_version(
    kamailios: Kamailios, open_prober: OpenProber, which: str
) -> None:
    async with open_prober() as prober:
        report = await prober.probe(target(getattr(kamailios, which), "udp"))
    fingerprint = identify(observation_of(_attempt(report)))
    assert fingerprint.system == "Kamailio"
    assert fingerprint.version == await installed_version()


def _attempt(report: ProbeReport) -> AttemptOutcome:
    asked = report.target
    candidate = Candidate(
        address=asked.address,
        port=asked.port,
        transport=Transport(asked.transport),
        host=asked.host,
        name=asked.host,
        source=CandidateSource.DEFAULT,
    )
    return attempt_of(candidate, report)
