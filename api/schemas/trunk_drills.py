"""Drills: rehearsals of a failover for one number."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.validation import RequestModel
from domain.call_state import CallResult
from domain.failover_commands import DRILL_LONGEST, DRILL_SHORTEST

__all__ = [
    "EXAMPLE_DRILL",
    "DrillCallView",
    "DrillList",
    "DrillReportView",
    "DrillRequest",
    "DrillView",
]

EXAMPLE_DRILL: Final[dict[str, Any]] = {
    "drill_id": "drl_4fJq0ZxYbT1mN8cRw2LkPa",
    "phone_number": "+14150000000",
    "state": "completed",
    "seconds": 60,
    "started_at": "2026-03-09T14:00:00Z",
    "ends_at": "2026-03-09T14:01:00Z",
    "ended_at": "2026-03-09T14:01:00Z",
    "report": {
        "took_over": 1,
        "detection_ms": 84,
        "recovery_ms": 61,
        "in_earnest": {
            "silence_seconds": 27.0,
            "refusal_seconds": 1.5,
            "hold_down_seconds": 300,
        },
        "why": [
            "Calls went over to sip2.acme.example (secondary) at 2026-03-09 14:00:00 UTC, since the "
            "one before it failed: declared dead by a drill."
        ],
    },
    "calls": [
        {
            "call_id": "tc_5sVd9YfMhQ2cUo7NkBz3Tw",
            "started_at": "2026-03-09T14:00:12Z",
            "host": "sip2.acme.example",
            "result": "connected",
            "sip_code": 200,
        }
    ],
}


class DrillRequest(RequestModel):
    """Whose calls are to find the endpoint dead, and for how long."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"phone_number": "+14150000000", "seconds": 60}]}
    )

    phone_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="A number that calls out by this trunk.",
            examples=["+14150000000"],
        ),
    ]
    seconds: Annotated[
        int,
        Field(
            ge=int(DRILL_SHORTEST.total_seconds()),
            le=int(DRILL_LONGEST.total_seconds()),
            strict=True,
        ),
    ] = 60


class InEarnestView(BaseModel):
    """What a real failure would take besides, by the rules of the monitor."""

    silence_seconds: Annotated[
        float, Field(description="From the first unanswered probe until the endpoint is down.")
    ]
    refusal_seconds: Annotated[float, Field(description="The same from the first refused probe.")]
    hold_down_seconds: Annotated[
        int, Field(description="Of stable service before calls return by themselves.")
    ]


class DrillReportView(BaseModel):
    """What was found out."""

    took_over: Annotated[
        int | None,
        Field(description="Position that the number's calls went to; `null`: nothing took over."),
    ]
    detection_ms: Annotated[
        int | None, Field(description="From the declaration until calls went there.")
    ]
    recovery_ms: Annotated[
        int | None, Field(description="From the end until calls went as before.")
    ]
    in_earnest: InEarnestView
    why: Annotated[list[str], Field(description="The number's route meanwhile, in sentences.")]


class DrillCallView(BaseModel):
    """A test call of the number while the drill lasted."""

    call_id: str
    started_at: AwareDatetime
    host: Annotated[str, Field(description="The endpoint that it was sent to.")]
    result: CallResult
    sip_code: int | None


class DrillView(BaseModel):
    """A drill. ``state`` is `running`, `ending` when its time is over and nobody has said so yet, or
    how it ended: `completed`, `aborted`, `trunk_revised`, `trunk_removed`, `failed_over` when the
    endpoint failed in earnest, `interrupted`."""

    drill_id: str
    phone_number: str
    state: str
    seconds: int
    started_at: AwareDatetime
    ends_at: AwareDatetime
    ended_at: AwareDatetime | None
    report: DrillReportView | None
    calls: list[DrillCallView]


class DrillList(BaseModel):
    """The newest drill, and those before it."""

    drill: DrillView | None
    earlier: list[DrillView]
