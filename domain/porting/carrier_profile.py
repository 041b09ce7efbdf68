"""What is known of a losing carrier: its calendar, and every number of days that an order goes by.

The values come from a TOML file; the one beside this module is the generic default with labelled
examples. 47 CFR 52.35 makes the losing carrier's own holidays count, so the public ones of the
``holidays`` library are a start that a profile corrects.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.porting.holiday_names import known_place, public_holiday_names

__all__ = ["DEFAULT", "CarrierProfile", "CarrierProfiles", "InvalidCarriers", "parse_carriers"]

DEFAULT: Final = "default"
"""The profile of carriers that no other one is for."""

_OWN: Final = frozenset({"names", "spids", "example", "label"})
"""What a profile does not take from the default one."""

_YEARLY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")

_Days = Annotated[int, Field(ge=0, le=366)]
_BusinessDays = Annotated[int, Field(ge=0, le=120)]
_Reminders = Annotated[tuple[Annotated[int, Field(ge=1, le=120)], ...], Field(max_length=10)]
_Minutes = Annotated[int, Field(ge=1, le=1440)]
_Hours = Annotated[int, Field(ge=0, le=720)]
_Range = tuple[_BusinessDays, _BusinessDays]


class InvalidCarriers(ValueError):
    """The operator's file is no list of carriers; ``str`` says where and what to change."""


class CarrierProfile(BaseModel):
    """One carrier. Names end in their unit: ``_days`` calendar days, ``_bd`` business days,
    ``_hours``, ``_minutes``; ``carriers.toml`` says what each is for. ``country`` is an ISO 3166
    code, ``time_zone`` an IANA name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    label: Annotated[str, Field(min_length=1, max_length=120)]
    example: bool = False
    names: tuple[str, ...] = ()
    spids: tuple[str, ...] = ()

    country: str
    subdivision: str | None = None
    time_zone: str
    opens: time
    cutoff: time
    extra_holidays: tuple[date, ...]
    yearly_holidays: tuple[str, ...]
    holidays_after: tuple[str, ...]
    working_holidays: tuple[str, ...]

    lead_days: _Days
    max_days_ahead: Annotated[int, Field(ge=1, le=366)]
    activation_time: time

    link_days: Annotated[int, Field(ge=1, le=366)]
    draft_days: Annotated[int, Field(ge=1, le=366)]
    letter_days: Annotated[int, Field(ge=1, le=366)]
    bill_days: Annotated[int, Field(ge=1, le=366)]
    pin_days: _Days

    signature_reminders_bd: _Reminders
    action_reminders_bd: _Reminders
    action_expiry_days: Annotated[int, Field(ge=1, le=366)]
    nudge_bd: _BusinessDays
    escalate_bd: _BusinessDays
    foc_notice_bd: _BusinessDays
    foc_overdue_bd: _BusinessDays

    cancel_freeze_bd: _BusinessDays
    cancel_refused_hours: _Hours
    max_sups_after_foc: Annotated[int, Field(ge=0, le=20)]
    sup_freeze_hours: _Hours
    verify_window_hours: _Hours

    poll_far_minutes: _Minutes
    poll_near_minutes: _Minutes
    poll_near_hours: _Hours
    foc_watch_minutes: _Minutes

    foc_answer_bd: _Range
    simple_port_bd: _Range
    complex_port_bd: _Range
    toll_free_port_bd: _Range

    escalation_contact: Annotated[str, Field(max_length=300)]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f'there is no time zone "{value}"; write an IANA name such as America/Chicago'
            ) from error

    @field_validator("yearly_holidays")
    @classmethod
    def _month_and_day(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if _YEARLY.fullmatch(value) is None:
                raise ValueError(f'"{value}" is no day of a year; write MM-DD such as 12-24')
        return values

    @field_validator("signature_reminders_bd", "action_reminders_bd")
    @classmethod
    def _growing(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if list(values) != sorted(set(values)):
            raise ValueError("reminders are days that grow, each once, such as [1, 3, 7]")
        return values

    @field_validator("foc_answer_bd", "simple_port_bd", "complex_port_bd", "toll_free_port_bd")
    @classmethod
    def _from_to(cls, values: tuple[int, int]) -> tuple[int, int]:
        if values[0] > values[1]:
            raise ValueError("write the shorter number of days first, such as [1, 5]")
        return values

    @model_validator(mode="after")
    def _holidays_exist(self) -> Self:
        if not known_place(self.country):
            raise ValueError(f'country: no holidays are known of "{self.country}"')
        if not known_place(self.country, self.subdivision):
            raise ValueError(f'subdivision: {self.country} has no "{self.subdivision}"')
        known = public_holiday_names(self.country, self.subdivision)
        for key in ("holidays_after", "working_holidays"):
            for name in getattr(self, key):
                if name not in known:
                    raise ValueError(
                        f'{key}: "{name}" is no public holiday there; known are '
                        f"{', '.join(sorted(known))}"
                    )
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.opens < self.cutoff:
            raise ValueError("cutoff is later than opens")
        if self.lead_days > self.max_days_ahead:
            raise ValueError("max_days_ahead is at least lead_days")
        if self.nudge_bd > self.escalate_bd:
            raise ValueError("escalate_bd is at least nudge_bd")
        return self


class CarrierProfiles(BaseModel):
    """Every profile by its key, in the order of the file; ``default`` is among them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profiles: Mapping[str, CarrierProfile]

    @property
    def default(self) -> CarrierProfile:
        """The profile of all other carriers."""
        return self.profiles[DEFAULT]

    def named(self, key: str | None) -> CarrierProfile:
        """The profile that an order was made with, or the default one if the file lost it."""
        return self.profiles.get(key or DEFAULT, self.default)

    def profile_for(self, name: str | None, spid: str | None = None) -> CarrierProfile:
        """The profile of a carrier, by its SPID or else by its name."""
        for profile in self.profiles.values():
            if spid is not None and spid in profile.spids:
                return profile
        wanted = (name or "").strip().casefold()
        for profile in self.profiles.values():
            if wanted and any(fnmatchcase(wanted, each.casefold()) for each in profile.names):
                return profile
        return self.default


def parse_carriers(text: str) -> CarrierProfiles:
    """Read a file of carriers. Raises ``InvalidCarriers``."""
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidCarriers(f"not TOML: {error}") from error
    if unknown := sorted(read.keys() - {"profiles"}):
        raise InvalidCarriers(f"{unknown[0]}: only [profiles.NAME] tables stand here")
    tables = read.get("profiles")
    if not isinstance(tables, dict) or not isinstance(tables.get(DEFAULT), dict):
        raise InvalidCarriers("profiles.default: missing; every other profile takes its values")
    return CarrierProfiles(profiles={key: _profile(key, tables) for key in tables})


def _profile(key: str, tables: Mapping[str, Any]) -> CarrierProfile:
    own = tables[key]
    if not isinstance(own, dict):
        raise InvalidCarriers(f"profiles.{key}: this is a table, written as [profiles.{key}]")
    shared = {name: value for name, value in tables[DEFAULT].items() if name not in _OWN}
    if "country" in own:
        # A subdivision and the names of holidays belong to the country they were written for.
        for name in ("subdivision", "holidays_after", "working_holidays"):
            shared[name] = () if name != "subdivision" else None
    try:
        return CarrierProfile.model_validate({**shared, **own, "key": key})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in ("profiles", key, *first["loc"]))
        raise InvalidCarriers(f"{where}: {first['msg']}") from error
