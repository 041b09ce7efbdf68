"""What the routes of number porting share, built once when the API starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from carriers.base import PortingCarrier
from carriers.chosen import chosen_carrier, load_profiles
from domain.porting.business_time import BusinessCalendar
from domain.porting.carrier_calendar import calendar_of
from domain.porting.carrier_profile import CarrierProfile, CarrierProfiles
from papers.uploads import UploadChecker
from settings import Settings
from storage.documents.base import DocumentStore
from storage.documents.chosen import chosen_documents
from storage.engine import Database

__all__ = ["Porting", "calendar_at", "open_porting"]


@dataclass(frozen=True, slots=True)
class Porting:
    """``carrier`` takes numbers over; ``profiles`` are of those that lose them."""

    carrier: PortingCarrier
    profiles: CarrierProfiles
    documents: DocumentStore
    uploads: UploadChecker


def open_porting(settings: Settings, database: Database) -> Porting:
    """The parts as the operator chose them. Raises ``InvalidCarriers``."""
    return Porting(
        carrier=chosen_carrier(settings, database),
        profiles=load_profiles(settings),
        documents=chosen_documents(settings),
        uploads=UploadChecker(),
    )


def calendar_at(profile: CarrierProfile, now: datetime) -> BusinessCalendar:
    """The carrier's calendar around ``now``; made once a year for each profile."""
    return _calendar(profile, now.year)


@lru_cache(maxsize=200)
def _calendar(profile: CarrierProfile, year: int) -> BusinessCalendar:
    return calendar_of(profile, date(year, 1, 1))
