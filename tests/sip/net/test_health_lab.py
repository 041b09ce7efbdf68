"""Health checks of every peer of the lab: each failure is found out as what it is."""

from __future__ import annotations

import secrets

import pytest

from lab import Lab
from sip.net.health_prober import ProbeEnd
from sip.net.probe_report import ProbeOutcome
from tests.sip.net.health import checks, hurry, job
from tests.sip.net.probing import OUTCOMES, STATUSES, Target

pytestmark = pytest.mark.usefixtures("loop_errors")

ENDS = {
    ProbeOutcome.SILENT: ProbeEnd.TIMEOUT,
    ProbeOutcome.CONNECTED_SILENT: ProbeEnd.TIMEOUT,
    ProbeOutcome.CONNECT_TIMEOUT: ProbeEnd.TIMEOUT,
    ProbeOutcome.PROVISIONAL_ONLY: ProbeEnd.TIMEOUT,
    ProbeOutcome.NOT_SIP: ProbeEnd.TIMEOUT,
    ProbeOutcome.REFUSED: ProbeEnd.REFUSED,
    ProbeOutcome.CLOSED: ProbeEnd.CLOSED,
    ProbeOutcome.TLS_SILENT: ProbeEnd.TLS_FAILED,
    ProbeOutcome.TLS_OLD_VERSION: ProbeEnd.TLS_FAILED,
    ProbeOutcome.TLS_CLIENT_CERTIFICATE: ProbeEnd.TLS_FAILED,
    ProbeOutcome.NOT_TLS: ProbeEnd.TLS_FAILED,
}
UNTRUSTED = ("expired-certificate", "wrong-name", "self-signed")
"""Discovery looks behind what these show; a health check does not."""


def expected(target: Target) -> tuple[ProbeEnd, int | None]:
    if target[0] in UNTRUSTED:
        return ProbeEnd.TLS_FAILED, None
    if target in STATUSES:
        return ProbeEnd.REPLY, STATUSES[target]
    return ENDS[OUTCOMES[target]], None


async def test_every_peer_ends_as_it_should(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, 4.0)
    targets = (*OUTCOMES, *STATUSES)
    async with checks(lab.ca_file) as told:
        for target in targets:
            name, transport, port = target
            key = " ".join(map(str, target))
            told.prober.probe(job(lab.peers[name].address, transport, key=key, port=port))
        await told.until(replies=len(targets))
    found = {each.key: (each.kind, each.status) for each in told.replies}
    assert found == {" ".join(map(str, each)): expected(each) for each in targets}
    elsewhere = [each for each in told.replies if each.source is not None]
    assert [each.key for each in elsewhere] == ["other-address udp 5060"]


async def test_garbage_is_kept_as_evidence(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, 0.6)
    address = lab.peers["garbage"].address
    async with checks(lab.ca_file) as told:
        for transport in ("udp", "tcp", "tls"):
            reply = await told.ask(job(address, transport, key=secrets.token_hex(4)))
            assert (reply.detail or "").startswith("unreadable: ")
            assert reply.reply is not None
