"""Quiet hours of an organization: when alerts that can wait are not told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from api.validation import RequestModel
from domain.alert_kinds import Severity
from domain.alert_quiet import QuietHours

__all__ = ["EXAMPLE_QUIET_HOURS", "QuietHoursInput", "QuietHoursView", "Weekday"]

EXAMPLE_QUIET_HOURS: Final[dict[str, Any]] = {
    "start": "22:00",
    "end": "07:00",
    "zone": "Europe/Berlin",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "pierced_by": "critical",
}


class Weekday(StrEnum):
    """A day that quiet hours begin on."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK: Final = tuple(Weekday)
_WALL_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

WallTime = Annotated[str, StringConstraints(pattern=_WALL_TIME)]


def _distinct(days: list[Weekday]) -> list[Weekday]:
    if len(set(days)) != len(days):
        raise ValueError("must not name the same day twice")
    return days


class QuietHoursInput(RequestModel):
    """From `start` to `end` by the clock of `zone`; past midnight when `end` is not later.

    Alerts below `pierced_by` wait until they end.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_QUIET_HOURS]})

    start: Annotated[WallTime, Field(description="24-hour clock.", examples=["22:00"])]
    end: Annotated[
        WallTime,
        Field(description="The same as `start` is a whole day.", examples=["07:00"]),
    ]
    zone: Annotated[
        str, Field(max_length=64, description="IANA time zone.", examples=["Europe/Berlin"])
    ]
    days: Annotated[
        list[Weekday],
        Field(min_length=1, max_length=len(_WEEK), description="Days that they begin on."),
        AfterValidator(_distinct),
    ] = Field(default_factory=lambda: list(_WEEK))
    pierced_by: Annotated[
        Severity, Field(description="Alerts of this severity and above are told all the same.")
    ] = Severity.CRITICAL

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            QuietHours(start=time(0), end=time(0), zone=zone)
        except ValidationError as error:
            raise ValueError(
                "must be a time zone of the IANA database, like Europe/Berlin"
            ) from error
        return zone

    def stored(self) -> dict[str, Any]:
        """``domain.alert_quiet.QuietHours`` as JSON."""
        return QuietHours(
            start=time.fromisoformat(self.start),
            end=time.fromisoformat(self.end),
            zone=self.zone,
            days=tuple(sorted(_WEEK.index(day) for day in self.days)),
            pierced_by=self.pierced_by,
        ).model_dump(mode="json")


class QuietHoursView(BaseModel):
    """Quiet hours as they are in force."""

    start: str
    end: str
    zone: str
    days: list[Weekday]
    pierced_by: Severity

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> QuietHoursView:
        """What ``QuietHoursInput.stored`` made."""
        quiet = QuietHours.model_validate(stored)
        return cls(
            start=f"{quiet.start:%H:%M}",
            end=f"{quiet.end:%H:%M}",
            zone=quiet.zone,
            days=[_WEEK[day] for day in quiet.days],
            pierced_by=quiet.pierced_by,
        )
