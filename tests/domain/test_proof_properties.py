"""What holds for the verdict of any call, also for facts that contradict each other."""

from __future__ import annotations

import json
import math

from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from domain.call_result import verdict_of
from domain.call_state import CallFailure, CallResult, CallStatus
from domain.diagnosis import Circumstances, FailOver, diagnose, diagnose_response
from domain.proof import Rung, first_failure, proof_of
from domain.variants import apply_variant, setting_to_save, variants_for
from sip.call_facts import CallFacts, StopCause
from sip.dialog_state import Said
from tests.domain.any_calls import FACTS
from tests.domain.calls import settings

PROFILE = limits(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RESULTS = {
    CallStatus.COMPLETED: CallResult.CONNECTED,
    CallStatus.FAILED: CallResult.FAILED,
    CallStatus.BUSY: CallResult.BUSY,
    CallStatus.NO_ANSWER: CallResult.NO_ANSWER,
}


@PROFILE
@given(FACTS)
def test_any_call_has_all_rungs_in_order_with_evidence(facts: CallFacts) -> None:
    steps = proof_of(facts)
    assert [step.rung for step in steps] == list(Rung)
    for step in steps:
        assert step.evidence
        assert "\n" not in step.evidence
        assert step.evidence.endswith((".", "?", "!"))
        assert step.ms is None or (step.ms >= 0 and math.isfinite(step.ms))
        json.loads(step.model_dump_json())


@PROFILE
@given(FACTS)
def test_a_call_has_a_diagnosis_exactly_when_a_rung_fails_or_it_was_interrupted(
    facts: CallFacts,
) -> None:
    found = diagnose(facts)
    interrupted = facts.stopped is StopCause.INTERRUPTED
    assert (found is not None) == (interrupted or first_failure(proof_of(facts)) is not None)
    if found is not None:
        assert found.what
        assert found.who.endswith(".")
        assert "{" not in found.what or "{" in facts_text(facts)
        json.loads(found.model_dump_json())


def facts_text(facts: CallFacts) -> str:
    return repr(facts)


@PROFILE
@given(FACTS)
def test_a_call_that_may_have_rung_is_never_tried_elsewhere(facts: CallFacts) -> None:
    found = diagnose(facts)
    invite = facts.invite
    if found is None or invite is None or not any(p.status > 100 for p in invite.provisionals):
        return
    assert found.fail_over in (
        FailOver.NO,
        FailOver.NOT_APPLICABLE,
        FailOver.RETRY,
        FailOver.POLICY,
    )


@PROFILE
@given(FACTS)
def test_the_verdict_of_any_call_is_final_and_consistent(facts: CallFacts) -> None:
    verdict = verdict_of(facts)
    assert verdict.result is RESULTS[verdict.status]
    assert verdict.duration_ms is None or verdict.duration_ms >= 0
    if facts.stopped is StopCause.INTERRUPTED:
        assert verdict.failure_reason is CallFailure.INTERRUPTED
        assert verdict.status is CallStatus.FAILED


@PROFILE
@given(FACTS)
def test_each_variant_changes_one_setting_of_the_call(facts: CallFacts) -> None:
    present = settings()
    offered = variants_for(facts, present)
    assert len({variant.id for variant in offered}) == len(offered)
    if diagnose(facts) is None:
        assert not offered
    for variant in offered:
        changed = apply_variant(present, variant.id).model_dump()
        differences = {
            name for name, value in present.model_dump().items() if changed[name] != value
        }
        assert len(differences) == 1
        assert len(setting_to_save(variant.id)) == 1
        assert variant.id not in {
            each.id for each in variants_for(facts, apply_variant(present, variant.id))
        }


SAID = st.builds(
    Said,
    server=st.none() | st.text(max_size=30),
    warnings=st.lists(st.text(max_size=60), max_size=3).map(tuple),
    reasons=st.lists(st.text(max_size=60), max_size=3).map(tuple),
    retry_after=st.none() | st.text(max_size=20),
    contacts=st.lists(st.text(max_size=20), max_size=2).map(tuple),
    details=st.lists(
        st.tuples(
            st.sampled_from(["X-Twilio-Error", "ms-diagnostics", "P-Hangup-Cause", "Require"]),
            st.text(max_size=60),
        ),
        max_size=3,
    ).map(tuple),
)


@PROFILE
@given(
    st.integers(min_value=-5, max_value=1000),
    SAID,
    st.sampled_from(["INVITE", "OPTIONS", "REGISTER", "BYE", "{method}"]),
    st.text(max_size=40),
)
def test_any_response_of_any_peer_can_be_diagnosed(
    status: int, said: Said, method: str, phrase: str
) -> None:
    found = diagnose_response(status, said, method, around=Circumstances(reason_phrase=phrase))
    assert found.sip_code == status
    assert str(status) in found.what
    assert found.retry_after is None or 0 <= found.retry_after <= 7 * 86_400
