"""The proof ladder of a test call: each rung passed, failed or skipped, with its evidence.

The first rung that fails is what the diagnosis is about; without one the trunk works.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.proof_connection import connection_steps
from domain.proof_end import bye_step
from domain.proof_media import media_steps
from domain.proof_setup import setup_steps
from domain.proof_steps import ProofStep, Rung, RungOutcome
from sip.call_facts import CallFacts

__all__ = ["ProofStep", "Rung", "RungOutcome", "first_failure", "proof_of"]


def proof_of(facts: CallFacts) -> tuple[ProofStep, ...]:
    """All rungs in their order; never raises for what a call can bring."""
    return (
        *connection_steps(facts),
        *setup_steps(facts),
        *media_steps(facts),
        bye_step(facts),
    )


def first_failure(steps: Iterable[ProofStep]) -> Rung | None:
    """The first rung that failed; None when none did."""
    return next((step.rung for step in steps if step.fails), None)
