"""Repeating a call with a variant that it offers, and which setting that proves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col

from domain.call_settings import CallerId, CallSettings, NumberFormat
from domain.call_state import CallResult, CallStatus
from domain.diagnosis import Diagnosis, DiagnosisCode
from domain.diagnosis_model import Blame, FailOver
from domain.variants import Variant, VariantId
from storage import audit
from storage.ids import new_id
from storage.tables import NumberBinding
from tests.api.calling import Caller, conclude
from tests.api.counting import code
from tests.api.outbound import NUMBER

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

FORBIDDEN = Diagnosis(
    code=DiagnosisCode.FORBIDDEN,
    what="The endpoint refused the call.",
    who="Asterisk PBX 20.9.2 at 198.51.100.7",
    change=("Send the number without +.",),
    fail_over=FailOver.NO,
    blame=Blame.PEER_CONFIG,
    sip_code=403,
)


def offered(*ids: VariantId) -> list[dict[str, Any]]:
    return [
        Variant(id=each, title="Another setting", why="It helps.").model_dump(mode="json")
        for each in ids
    ]


async def refused(caller: Caller, call_id: str, *variants: VariantId, status: int = 403) -> None:
    """End the call as one that the peer refused, offering these variants."""
    await conclude(
        caller.database,
        caller.tenant.org_id,
        call_id,
        status=CallStatus.FAILED,
        result=CallResult.FAILED,
        sip_code=status,
        sip_reason="Forbidden",
        diagnosis=FORBIDDEN.model_dump(mode="json"),
        variants=offered(*variants),
    )


async def connected(caller: Caller, call_id: str, diagnosis: Diagnosis | None = None) -> None:
    await conclude(
        caller.database,
        caller.tenant.org_id,
        call_id,
        diagnosis=None if diagnosis is None else diagnosis.model_dump(mode="json"),
    )


async def retried(caller: Caller, call_id: str, variant: VariantId) -> str:
    answer = await caller.retry(call_id, variant)
    assert answer.status_code == 200, answer.text
    again: str = answer.json()["data"]["call_id"]
    return again


async def test_a_retry_is_the_same_call_with_one_setting_changed(caller: Caller) -> None:
    first = await caller.placed(to="+14155550123")
    await refused(caller, first, VariantId.E164, VariantId.FROM_AUTH_USER)

    answer = await caller.retry(first, VariantId.E164)

    assert answer.status_code == 200
    assert answer.json()["data"]["message"] == "Test call initiated"
    assert answer.headers["RateLimit-Remaining"] == "8"
    again = answer.json()["data"]["call_id"]
    before, after = await caller.row(first), await caller.row(again)
    assert (after.parent_id, after.variant) == (first, "e164")
    assert (after.number, after.trunk_id) == (NUMBER, before.trunk_id)
    settings = CallSettings.model_validate(before.details["settings"])
    assert CallSettings.model_validate(after.details["settings"]) == settings.model_copy(
        update={"number_format": NumberFormat.E164}
    )
    async with caller.database.tenant(caller.tenant.org_id) as session:
        (entry,) = await audit.entries(session, caller.tenant.org_id, limit=9, subject_id=again)
    assert entry.action == "test_call.start"
    assert entry.after == {"phone_number": NUMBER, "retry_of": first, "variant": "e164"}


async def test_the_status_shows_what_is_wrong_and_what_to_try(caller: Caller) -> None:
    first = await caller.placed()
    await refused(caller, first, VariantId.E164)

    view = await caller.view(first)

    assert view["diagnosis"] == FORBIDDEN.model_dump(mode="json")
    assert view["variants"] == offered(VariantId.E164)
    assert (view["status"], view["result"], view["sip_code"]) == ("failed", "failed", 403)
    assert (view["variant"], view["retry_of"], view["setting_to_save"]) == (None, None, None)


async def test_a_running_call_cannot_be_repeated(caller: Caller) -> None:
    first = await caller.placed()

    answer = await caller.retry(first, VariantId.E164)

    assert (answer.status_code, code(answer)) == (409, "TEST_CALL_IN_PROGRESS")


@pytest.mark.parametrize("variants", [(), (VariantId.FROM_AUTH_USER, VariantId.TCP)])
async def test_a_variant_that_is_not_offered_is_refused_with_those_that_are(
    caller: Caller, variants: tuple[VariantId, ...]
) -> None:
    first = await caller.placed()
    await refused(caller, first, *variants)

    answer = await caller.retry(first, VariantId.E164)

    assert (answer.status_code, code(answer)) == (400, "VARIANT_NOT_OFFERED")
    (error,) = answer.json()["errors"]
    assert error["field"] == "variant"
    assert all(each in error["message"] for each in variants)


@pytest.mark.parametrize("variant", ["", "no such variant", "E164"])
async def test_a_variant_that_does_not_exist_breaks_the_schema(
    caller: Caller, variant: str
) -> None:
    first = await caller.placed()
    await refused(caller, first, VariantId.E164)

    answer = await caller.retry(first, variant)

    assert (answer.status_code, code(answer)) == (400, "INVALID_REQUEST")


async def test_a_retry_counts_against_the_limit(caller: Caller) -> None:
    caller.change_settings(test_calls_per_window=2)
    first = await caller.placed()
    await refused(caller, first, VariantId.E164)

    assert (await caller.retry(first, VariantId.E164)).status_code == 200
    answer = await caller.retry(first, VariantId.E164)

    assert (answer.status_code, code(answer)) == (429, "RATE_LIMITED")
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert "Retry-After" in answer.headers


async def test_a_trunk_that_no_longer_carries_the_number_is_not_called(caller: Caller) -> None:
    first = await caller.placed()
    await refused(caller, first, VariantId.E164)
    async with caller.database.tenant(caller.tenant.org_id) as session:
        await session.execute(
            delete(NumberBinding).where(col(NumberBinding.phone_number) == NUMBER)
        )

    answer = await caller.retry(first, VariantId.E164)

    assert (answer.status_code, code(answer)) == (409, "NO_OUTBOUND_CONFIG")


async def test_an_unknown_call_is_not_found(caller: Caller) -> None:
    for call_id in (new_id("tc"), "tc_x"):
        assert (await caller.retry(call_id, VariantId.E164)).status_code == 404


class TestSettingToSave:
    async def test_a_retry_that_works_names_the_setting(self, caller: Caller) -> None:
        first = await caller.placed()
        await refused(caller, first, VariantId.E164)
        again = await retried(caller, first, VariantId.E164)
        assert (await caller.view(again))["setting_to_save"] is None
        await connected(caller, again)

        view = await caller.view(again)

        assert view["setting_to_save"] == {"number_format": "e164"}
        assert (view["variant"], view["retry_of"]) == ("e164", first)

    async def test_a_retry_that_was_answered_helped_even_if_something_else_is_wrong(
        self, caller: Caller
    ) -> None:
        first = await caller.placed()
        await refused(caller, first, VariantId.E164)
        again = await retried(caller, first, VariantId.E164)
        await connected(caller, again, FORBIDDEN)

        assert (await caller.view(again))["setting_to_save"] == {"number_format": "e164"}

    async def test_a_retry_that_failed_again_proves_nothing(self, caller: Caller) -> None:
        first = await caller.placed()
        await refused(caller, first, VariantId.E164)
        again = await retried(caller, first, VariantId.E164)
        await refused(caller, again, VariantId.FROM_AUTH_USER)

        assert (await caller.view(again))["setting_to_save"] is None

    async def test_an_answered_call_has_to_be_cured(self, caller: Caller) -> None:
        first = await caller.placed()
        await conclude(
            caller.database,
            caller.tenant.org_id,
            first,
            diagnosis=FORBIDDEN.model_dump(mode="json"),
            variants=offered(VariantId.SRTP_OFF),
        )
        ill = await retried(caller, first, VariantId.SRTP_OFF)
        well = await retried(caller, first, VariantId.SRTP_OFF)
        await connected(caller, ill, FORBIDDEN)
        await connected(caller, well)

        assert (await caller.view(ill))["setting_to_save"] is None
        assert (await caller.view(well))["setting_to_save"] == {"secure_media": False}

    async def test_variants_on_top_of_each_other_are_saved_together(self, caller: Caller) -> None:
        first = await caller.placed()
        await refused(caller, first, VariantId.E164)
        second = await retried(caller, first, VariantId.E164)
        await refused(caller, second, VariantId.FROM_AUTH_USER)
        third = await retried(caller, second, VariantId.FROM_AUTH_USER)
        await refused(caller, third, VariantId.PLUS_E164)
        fourth = await retried(caller, third, VariantId.PLUS_E164)
        await connected(caller, fourth)

        settings = CallSettings.model_validate((await caller.row(fourth)).details["settings"])
        assert settings.caller_id is CallerId.AUTH_USER
        assert settings.number_format is NumberFormat.PLUS_E164
        # The later one wins where two change the same option.
        assert (await caller.view(fourth))["setting_to_save"] == {
            "caller_id": "auth_user",
            "number_format": "+e164",
        }
