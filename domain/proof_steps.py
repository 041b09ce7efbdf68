"""The rungs of the proof ladder: what a test call proves, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = ["Details", "ProofStep", "Rung", "RungOutcome", "failed", "passed", "skipped"]


Details = Mapping[str, JsonValue]
"""Numbers behind the evidence by name; None is left out."""


class Rung(StrEnum):
    """What is proven, in the order in which a call needs it."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    AUTHENTICATION = "authentication"
    INVITE = "invite"
    RINGING = "ringing"
    ANSWER = "answer"
    SDP = "sdp"
    SRTP = "srtp"
    RTP_OUT = "rtp_out"
    RTP_IN = "rtp_in"
    DTMF = "dtmf"
    BYE = "bye"


class RungOutcome(StrEnum):
    """``skip`` when a rung does not apply to the call, or the call did not get to it."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"


class ProofStep(BaseModel):
    """One rung. ``evidence`` is one or more full sentences that say what was seen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rung: Rung
    outcome: RungOutcome
    evidence: str
    ms: float | None = Field(
        default=None,
        description="How long it took: of dns, tcp, tls and bye the step itself, of the others the "
        "time since the first INVITE, of rtp_in since the media started.",
    )
    details: dict[str, JsonValue] = Field(
        default_factory=dict, description="The numbers behind the evidence, by name."
    )

    @property
    def fails(self) -> bool:
        return self.outcome is RungOutcome.FAIL


def passed(
    rung: Rung, evidence: str, ms: float | None = None, details: Details | None = None
) -> ProofStep:
    """A rung that is proven."""
    return _step(rung, RungOutcome.PASS, evidence, ms, details)


def failed(
    rung: Rung, evidence: str, ms: float | None = None, details: Details | None = None
) -> ProofStep:
    """A rung at which something is wrong."""
    return _step(rung, RungOutcome.FAIL, evidence, ms, details)


def skipped(rung: Rung, evidence: str, details: Details | None = None) -> ProofStep:
    """A rung that says nothing about this call."""
    return _step(rung, RungOutcome.SKIP, evidence, None, details)


def _step(
    rung: Rung, outcome: RungOutcome, evidence: str, ms: float | None, details: Details | None
) -> ProofStep:
    told: dict[str, JsonValue] = {
        name: value for name, value in (details or {}).items() if value is not None
    }
    return ProofStep(
        rung=rung,
        outcome=outcome,
        evidence=evidence,
        ms=round(ms, 1) if ms is not None else None,
        details=told,
    )
