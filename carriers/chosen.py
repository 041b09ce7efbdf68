"""The carriers that the operator chose: who takes numbers over, and the profiles of those they leave."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from carriers.base import PortingCarrier
from carriers.simulator import SimulatedCarrier
from domain.porting.carrier_profile import CarrierProfiles, InvalidCarriers, parse_carriers
from settings.porting import PortingSettings
from storage.engine import Database

__all__ = ["chosen_carrier", "load_profiles"]

SETTING = "TRUNKLINE_PORTING_CARRIERS_FILE"


def chosen_carrier(settings: PortingSettings, database: Database) -> PortingCarrier:
    """The winning carrier that new orders are placed with."""
    return SimulatedCarrier(database, scale=settings.porting_clock_scale)


def load_profiles(settings: PortingSettings) -> CarrierProfiles:
    """The losing carriers of the operator's file, or the generic ones; with the operator's own lead.

    Raises ``InvalidCarriers``.
    """
    profiles = _read(settings.porting_carriers_file)
    lead = settings.porting_lead_days
    if lead is None:
        return profiles
    return CarrierProfiles(
        profiles={
            key: each.model_copy(update={"lead_days": lead})
            for key, each in profiles.profiles.items()
        }
    )


def _read(path: str | None) -> CarrierProfiles:
    if path is None:
        return parse_carriers((files("domain.porting") / "carriers.toml").read_text())
    try:
        return parse_carriers(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCarriers(f"{SETTING}: {error}") from error
    except InvalidCarriers as error:
        raise InvalidCarriers(f"{SETTING}: {path}: {error}") from error
