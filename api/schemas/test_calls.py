"""Bodies and answers of test calls (contract 4.4 and 4.5)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from api.schemas.test_call_examples import TEST_CALL_EXAMPLE
from api.validation import RequestModel
from domain.call_settings import MAX_USER_PART, is_user_part
from domain.call_state import CallResult, CallStatus
from domain.diagnosis import Diagnosis
from domain.proof import ProofStep
from domain.variants import Variant, VariantId
from storage.tables import Call, CallEvent

__all__ = [
    "RetryRequest",
    "TestCallAccepted",
    "TestCallRequest",
    "TestCallView",
    "TimelineEntry",
]

MAX_NUMBER = 64


class TestCallRequest(RequestModel):
    """Which number's outbound configuration to test, and whom to dial."""

    model_config = ConfigDict(json_schema_extra={"example": {"phone_number": "+14155550100"}})

    phone_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_NUMBER,
            description="The number whose outbound configuration is tested.",
        ),
    ]
    to: Annotated[
        str | None,
        Field(
            max_length=MAX_USER_PART,
            description="Whom to dial: the user part of the request's URI. Default: the operator's "
            "test callee, else the number itself.",
        ),
    ] = None

    @field_validator("to")
    @classmethod
    def _user_part(cls, value: str | None) -> str | None:
        if value is not None and not is_user_part(value):
            raise ValueError(
                "must be the user part of a SIP URI, such as +14155550100 or 100; write other "
                "characters as escapes (# is %23)"
            )
        return value


class RetryRequest(RequestModel):
    """Which of the offered variants to run."""

    model_config = ConfigDict(json_schema_extra={"example": {"variant": "e164"}})

    variant: Annotated[VariantId, Field(description="`id` of one of the call's `variants`.")]


class TestCallAccepted(BaseModel):
    """A test call that is on its way, or about to end; follow it by its id."""

    call_id: str
    message: str


class TimelineEntry(BaseModel):
    """One thing that happened in the call."""

    event: str = Field(description="initiated, ringing, answered, completed, ...")
    at: AwareDatetime
    detail: str = Field(description="The same in a sentence.")
    data: dict[str, Any] = Field(description="Its numbers, by name; often empty.")

    @classmethod
    def of(cls, row: CallEvent) -> Self:
        return cls(event=row.event, at=row.at, detail=row.detail, data=row.data)


class TestCallView(BaseModel):
    """A test call as it stands. From ``sip_code`` on, most is known when it has ended."""

    call_id: str
    phone_number: str
    trunk_id: str | None
    status: CallStatus
    result: CallResult
    duration_seconds: int | None = Field(description="From the INVITE to the end.")
    timeline: list[TimelineEntry]
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    hang_up_requested_at: AwareDatetime | None
    sip_call_id: str | None = Field(description="Call-ID on the wire: finds it in the peer's logs.")
    sip_code: int | None = Field(description="Final response to the INVITE.")
    sip_reason: str | None
    failure_reason: str | None = Field(
        description="Why the call failed for a reason of ours: interrupted, not_started, cancelled. "
        "It then says nothing about the trunk."
    )
    proof: list[ProofStep] = Field(description="What works, rung by rung; empty before the end.")
    diagnosis: Diagnosis | None = Field(description="What to change; null when the trunk works.")
    variants: list[Variant] = Field(description="Settings that may cure it; run one with `retry`.")
    retry_of: str | None = Field(description="The call of which this one is a retry.")
    variant: VariantId | None = Field(description="What this retry changed.")
    setting_to_save: dict[str, Any] | None = Field(
        description="Options to save on the trunk, when this retry worked where the call before it "
        "did not."
    )

    model_config = ConfigDict(json_schema_extra={"example": TEST_CALL_EXAMPLE})

    @classmethod
    def of(cls, row: Call, events: list[CallEvent], setting_to_save: dict[str, Any] | None) -> Self:
        """The view of a row with its timeline."""
        details = row.details
        return cls(
            call_id=row.id,
            phone_number=row.number,
            trunk_id=row.trunk_id,
            status=row.status,
            result=row.result,
            duration_seconds=None if row.duration_ms is None else round(row.duration_ms / 1000),
            timeline=[TimelineEntry.of(each) for each in events],
            started_at=row.started_at,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
            hang_up_requested_at=row.hang_up_at,
            sip_call_id=row.sip_call_id,
            sip_code=row.sip_code,
            sip_reason=row.sip_reason,
            failure_reason=details.get("failure_reason"),
            proof=[ProofStep.model_validate(each) for each in details.get("proof") or ()],
            diagnosis=diagnosis_of(row),
            variants=[Variant.model_validate(each) for each in details.get("variants") or ()],
            retry_of=row.parent_id,
            variant=None if row.variant is None else VariantId(row.variant),
            setting_to_save=setting_to_save,
        )


def diagnosis_of(row: Call) -> Diagnosis | None:
    """What was found wrong with an ended call; ``None`` when nothing was, or it has not ended."""
    found = row.details.get("diagnosis")
    return None if found is None else Diagnosis.model_validate(found)
