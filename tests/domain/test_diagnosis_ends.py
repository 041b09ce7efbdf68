"""One call for each end that no refusal explains: what is said, who is blamed, whether to go on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.diagnosis import Blame, Diagnosis, DiagnosisCode, FailOver, diagnose
from sip.call_facts import (
    AddressFinding,
    AddressPlace,
    CallFacts,
    StopCause,
    TargetOutcome,
)
from sip.dialog_state import EndedBy, FailureCause, Said
from sip.media_agreement import ProblemKind
from sip.media_verdict import Heard, SrtpOutcome
from tests.domain.calls import (
    DNS,
    NOTHING_IN,
    NOTHING_OUT,
    RINGING,
    SUITE,
    answered,
    dead,
    target,
    tls,
    unanswered,
)

Code = DiagnosisCode
YES, NO, OPT_IN, NA = FailOver.YES, FailOver.NO, FailOver.OPT_IN, FailOver.NOT_APPLICABLE
CLIENT, UPSTREAM, OURS = Blame.CLIENT_ERROR, Blame.UPSTREAM_ERROR, Blame.SERVER_ERROR
PATH, PEER, UNKNOWN = Blame.NETWORK_PATH, Blame.PEER_CONFIG, Blame.INDETERMINATE

PRIVATE = AddressFinding(
    place=AddressPlace.SDP,
    address="10.0.0.5",
    problem="10.0.0.5 is a private address (RFC 1918)",
    blocked=True,
)


def found(facts: CallFacts) -> Diagnosis:
    diagnosis = diagnose(facts)
    assert diagnosis is not None
    return diagnosis


def ended_by_peer(talk_ms: float, *reasons: str) -> CallFacts:
    said = Said(server="Asterisk PBX 20", reasons=reasons)
    changes = {"ended_by": EndedBy.PEER, "bye_status": None, "talk_ms": talk_ms, "ended_said": said}
    return answered(invite=changes)


@pytest.mark.parametrize(
    ("facts", "code", "fail_over", "blame", "words"),
    [
        pytest.param(
            dead(dns=replace(DNS, targets=0, failure="the name does not exist (NXDOMAIN)")),
            Code.DNS_RESOLUTION, YES, CLIENT, "A sip.example.com: 1 record", id="no name",
        ),
        pytest.param(
            dead(
                target("tcp", TargetOutcome.REFUSED),
                target("tls", TargetOutcome.CONNECT_TIMEOUT, tcp_ms=None),
            ),
            Code.CONNECTION_REFUSED, YES, CLIENT, "refused at once", id="refused",
        ),
        pytest.param(
            dead(target("tcp", TargetOutcome.CONNECT_TIMEOUT)),
            Code.CONNECT_TIMEOUT, YES, PATH, "firewall", id="connect timeout",
        ),
        pytest.param(
            dead(target("tcp", TargetOutcome.UNREACHABLE, detail="No route to host")),
            Code.UNREACHABLE, YES, PATH, "No route to host", id="unreachable",
        ),
        pytest.param(
            dead(target("tcp", TargetOutcome.RESET)),
            Code.CONNECTION_BROKEN, YES, PATH, "broke the connection off", id="reset",
        ),
        pytest.param(
            dead(target("tcp", TargetOutcome.CLOSED)),
            Code.CONNECTION_BROKEN, YES, PEER, "closed the connection", id="closed",
        ),
        pytest.param(
            dead(target("tcp", TargetOutcome.NOT_ALLOWED, detail="10.0.0.5 is private")),
            Code.ADDRESS_NOT_ALLOWED, YES, CLIENT, "10.0.0.5 is private", id="not allowed",
        ),
        pytest.param(
            dead(target("udp", TargetOutcome.LOCAL_LIMIT)),
            Code.LOCAL_LIMIT, NO, OURS, "ran out of resources", id="no sockets",
        ),
        pytest.param(
            dead(target("udp", TargetOutcome.SILENT)),
            Code.NO_REPLY, YES, UNKNOWN, "No answer came", id="silent to options",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.TLS_FAILED, detail="handshake failure")),
            Code.TLS_FAILED, YES, PEER, "handshake failure", id="tls alert",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.TLS_OLD_VERSION, detail="TLSv1.1")),
            Code.TLS_OLD_VERSION, YES, PEER, "TLSv1.1", id="old tls",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.TLS_CLIENT_CERTIFICATE)),
            Code.TLS_CLIENT_CERTIFICATE, YES, PEER, "client certificate", id="mutual tls",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.TLS_SILENT)),
            Code.TLS_SILENT, YES, PEER, "handshake is not answered", id="tls silent",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.NOT_TLS)),
            Code.NOT_TLS, YES, CLIENT, "not in TLS", id="not tls",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.TLS_UNTRUSTED, detail="expired", tls=tls(days_left=-1))),
            Code.TLS_UNTRUSTED, FailOver.POLICY, PEER, "good until 2026-03-08", id="bad certificate",
        ),
        pytest.param(
            dead(target("tls", TargetOutcome.TLS_NAME_MISMATCH, detail="names other.example")),
            Code.TLS_NAME_MISMATCH, FailOver.POLICY, PEER, "other.example", id="wrong name",
        ),
        pytest.param(
            unanswered(FailureCause.NO_REPLY, retransmissions=6),
            Code.NO_REPLY, YES, UNKNOWN, "sent 7 times", id="no reply",
        ),
        pytest.param(
            unanswered(FailureCause.NO_ANSWER, provisionals=RINGING[:1]),
            Code.NO_FINAL_RESPONSE, YES, CLIENT, "100 Trying", id="100 then silence",
        ),
        pytest.param(
            unanswered(FailureCause.NO_ANSWER, provisionals=RINGING),
            Code.NO_ANSWER, NO, CLIENT, "nobody answered within 60 s", id="no answer",
        ),
        pytest.param(
            unanswered(FailureCause.TRANSPORT, failure_reason="closed"),
            Code.CONNECTION_BROKEN, NO, PATH, "is not known", id="broken with the invite out",
        ),
        pytest.param(
            unanswered(
                FailureCause.TRANSPORT,
                failure_reason="errno:111",
                facts={"targets": (target("udp", TargetOutcome.REFUSED),)},
            ),
            Code.CONNECTION_REFUSED, YES, CLIENT, "refused at once", id="icmp to the invite",
        ),
        pytest.param(
            unanswered(
                FailureCause.TRANSPORT,
                failure_reason="tls:TLSV13_ALERT_CERTIFICATE_REQUIRED",
                facts={"targets": (target("tls", tcp_ms=1.0, tls=tls()),)},
            ),
            Code.TLS_CLIENT_CERTIFICATE, YES, PEER, "client certificate", id="late alert",
        ),
        pytest.param(
            unanswered(FailureCause.PEER_ENDED, provisionals=RINGING),
            Code.PEER_ENDED, NO, PEER, "before it was answered", id="bye before the answer",
        ),
        pytest.param(
            unanswered(FailureCause.CANCELLED, facts={"stopped": StopCause.HANG_UP}),
            Code.CANCELED, NA, CLIENT, "hung up on request", id="hung up",
        ),
        pytest.param(
            dead(stopped=StopCause.HANG_UP),
            Code.CANCELED, NA, CLIENT, "before it was placed", id="hung up before the invite",
        ),
        pytest.param(
            dead(), Code.NOT_STARTED, NA, OURS, "a reason of our own", id="never started",
        ),
        pytest.param(
            unanswered(FailureCause.OFFER_REFUSED, provisionals=RINGING),
            Code.NO_SDP, NO, PEER, "without a session description", id="early sdp refused",
        ),
        pytest.param(
            unanswered(FailureCause.NO_REPLY, provisionals=RINGING),
            Code.NO_FINAL_RESPONSE, NO, CLIENT, "never said what came", id="ringing for ever",
        ),
        pytest.param(
            answered(stopped=StopCause.INTERRUPTED),
            Code.INTERRUPTED, NA, OURS, "says nothing about the trunk", id="interrupted",
        ),
        pytest.param(
            answered(media={**NOTHING_IN}),
            Code.NO_RTP_IN, NA, PATH, "no audio came in 3.0 s", id="no audio",
        ),
        pytest.param(
            answered(media={**NOTHING_IN}, addresses=(PRIVATE,)),
            Code.NO_RTP_IN, NA, PEER, "private address (RFC 1918)", id="no audio, private sdp",
        ),
        pytest.param(
            answered(media={**NOTHING_IN, **NOTHING_OUT}, addresses=(PRIVATE,)),
            Code.NO_RTP_OUT, NA, PEER, "wants audio at 10.0.0.5", id="blocked sdp address",
        ),
        pytest.param(
            answered(media={**NOTHING_IN, **NOTHING_OUT, "encodable": False, "codec": "OPUS"}),
            Code.CODEC_UNTESTABLE, NA, OURS, "OPUS", id="codec not spoken here",
        ),
        pytest.param(
            answered(media={"heard": Heard.SILENCE}),
            Code.ONLY_SILENCE, NA, UNKNOWN, "carry silence", id="silence",
        ),
        pytest.param(
            answered(media={"loss_percent": 20.0, "packets_lost": 30}),
            Code.PACKET_LOSS, NA, PATH, "30 of 150 packets", id="loss",
        ),
        pytest.param(
            answered(
                agreed={"suite": SUITE},
                media={**NOTHING_IN, "srtp": SrtpOutcome.FAILED, "srtp_failed": 150},
            ),
            Code.SRTP_KEY_MISMATCH, NA, PEER, "None of the 150 packets", id="srtp key",
        ),
        pytest.param(
            answered(media={"heard": Heard.OUR_TONE, "dtmf_received": "7"}),
            Code.DTMF_CHANGED, NA, PEER, "came back as 7", id="dtmf",
        ),
        pytest.param(
            answered(invite={"agreed": None}),
            Code.NO_SDP, NA, PEER, "without a session description", id="no sdp",
        ),
        pytest.param(
            answered(
                agreed={
                    "codec": None, "codecs": (), "address": None, "port": None, "fatal": True,
                    "problem_kinds": (ProblemKind.NO_AUDIO,),
                }
            ),
            Code.NO_SDP, NA, PEER, "without a session description", id="unreadable sdp",
        ),
        pytest.param(
            answered(agreed={"direction": "recvonly"}),
            Code.ONE_WAY_AGREED, NA, PEER, "on hold", id="on hold",
        ),
        pytest.param(
            answered(invite={"peer_retransmissions": 3}),
            Code.ACK_LOST, NA, PEER, "drops after 32 seconds", id="ack lost",
        ),
        pytest.param(
            ended_by_peer(300.0, 'Q.850;cause=88;text="Incompatible"'),
            Code.EARLY_BYE, NA, PEER, "300 ms later", id="bye at once",
        ),
        pytest.param(
            ended_by_peer(32_010.0), Code.ACK_LOST, NA, PEER, "waited 32 seconds", id="32 seconds",
        ),
        pytest.param(
            ended_by_peer(900_000.0), Code.SESSION_TIMER, NA, PEER, "refreshed", id="900 seconds",
        ),
        pytest.param(
            ended_by_peer(1_790_000.0), Code.SESSION_TIMER, NA, PEER, "RFC 4028", id="1800 seconds",
        ),
        pytest.param(
            answered(invite={"bye_status": None}),
            Code.BYE_UNANSWERED, NA, PATH, "bill it", id="bye unanswered",
        ),
        pytest.param(
            answered(invite={"bye_status": 481}),
            Code.BYE_REFUSED, NA, PEER, "481", id="bye refused",
        ),
    ],
)  # fmt: skip
def test_each_end_without_a_refusal_has_its_diagnosis(
    facts: CallFacts, code: Code, fail_over: FailOver, blame: Blame, words: str
) -> None:
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.fail_over, diagnosis.blame) == (code, fail_over, blame)
    assert words in " ".join((diagnosis.what, *diagnosis.change))
    assert diagnosis.change or code is Code.CANCELED
