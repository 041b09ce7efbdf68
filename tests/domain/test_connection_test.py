"""Every way in which a peer is not reached has a word of the API and an advice."""

from __future__ import annotations

import pytest

from domain.connection_test import ConnectionProblem, explain, problem_of
from sip.call_facts import TargetOutcome

# A check sends no INVITE, so these two cannot be how it ended.
OF_CALLS = {TargetOutcome.CALLED, TargetOutcome.UNAVAILABLE}


@pytest.mark.parametrize("problem", ConnectionProblem)
def test_every_problem_has_an_advice(problem: ConnectionProblem) -> None:
    assert explain(problem).endswith(".")


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (TargetOutcome.SILENT, "timeout"),
        (TargetOutcome.CONNECT_TIMEOUT, "timeout"),
        (TargetOutcome.TLS_FAILED, "tls_handshake_failed"),
        (TargetOutcome.NOT_TLS, "tls_handshake_failed"),
        (TargetOutcome.TLS_OLD_VERSION, "tls_handshake_failed"),
        (TargetOutcome.TLS_UNTRUSTED, "tls_untrusted"),
        (TargetOutcome.TLS_NAME_MISMATCH, "tls_name_mismatch"),
        (TargetOutcome.TLS_CLIENT_CERTIFICATE, "tls_client_certificate_required"),
        (TargetOutcome.REFUSED, "refused"),
        (TargetOutcome.NOT_ALLOWED, "not_allowed"),
    ],
)
def test_outcomes_get_the_words_of_the_contract(outcome: TargetOutcome, problem: str) -> None:
    assert problem_of(outcome, resolved=True, not_sip=False) == problem


def test_every_outcome_of_a_check_has_a_word_of_its_own() -> None:
    silent = {TargetOutcome.SILENT, TargetOutcome.CONNECT_TIMEOUT}
    for outcome in set(TargetOutcome) - OF_CALLS - silent:
        problem = problem_of(outcome, resolved=True, not_sip=False)
        assert problem is not ConnectionProblem.TIMEOUT


def test_what_was_not_found_or_spoke_something_else() -> None:
    assert problem_of(None, resolved=False, not_sip=False) is ConnectionProblem.DNS_FAILURE
    silent = TargetOutcome.SILENT
    assert problem_of(silent, resolved=True, not_sip=True) is ConnectionProblem.NOT_SIP
